"""Data from models, kept honest: drafts that a person reviews, pairs that somebody rates."""
