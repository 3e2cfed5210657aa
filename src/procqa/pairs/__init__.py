"""Questions joined with their answers, their language, and why a pair is dropped."""
