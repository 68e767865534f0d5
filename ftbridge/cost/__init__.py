"""What it costs: token counts, the price book, estimates and comparisons."""
