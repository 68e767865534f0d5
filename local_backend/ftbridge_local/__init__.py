"""The provider that trains on this machine. No data leaves it."""

from ftbridge_local.adapter import LocalProvider as Provider

__all__ = ["Provider"]
