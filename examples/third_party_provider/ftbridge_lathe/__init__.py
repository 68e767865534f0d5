"""Lathe (an invented vendor) for ftbridge."""

from ftbridge_lathe.adapter import LatheProvider as Provider

__all__ = ["Provider"]
