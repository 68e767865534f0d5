"""Trainers that a team may run already, one module each: our recipe in their words."""
