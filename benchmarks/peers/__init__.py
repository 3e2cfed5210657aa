"""What others would use or write instead: one file a rival, each as able as it is short."""
