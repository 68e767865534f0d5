"""Judging the quality of a data set: one small module a judgement.

Importing this package imports numpy; do so only where a judgement is asked for.
"""
