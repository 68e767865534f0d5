"""Together for ftbridge: data format and rules."""
