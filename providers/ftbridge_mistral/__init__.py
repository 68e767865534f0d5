"""Mistral for ftbridge: data format and rules."""
