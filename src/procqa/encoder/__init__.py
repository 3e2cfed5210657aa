"""One space for text, code and mixtures: training and use of encoders."""
