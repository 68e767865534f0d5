"""Modal for ftbridge: so far its prices alone."""
