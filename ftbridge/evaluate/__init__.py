"""Does the tuned model beat the baseline: the same held-out rows, paired, with an interval."""
