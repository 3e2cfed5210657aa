"""Programs that measure speed and quality; each prints JSON lines and writes them to results/."""
