"""Mistral for ftbridge: adapter, data format, rules, catalogue and prices."""

from ftbridge_mistral.adapter import MistralProvider as Provider

__all__ = ["Provider"]
