"""Together for ftbridge: adapter, data format, rules, catalogue and prices."""

from ftbridge_together.adapter import TogetherProvider as Provider

__all__ = ["Provider"]
