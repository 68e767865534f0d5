"""Hugging Face Jobs for ftbridge: so far its prices alone."""
