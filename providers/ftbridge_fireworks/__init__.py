"""Fireworks for ftbridge: data format and rules."""
