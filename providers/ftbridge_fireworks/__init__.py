"""Fireworks for ftbridge: adapter, catalogue, prices and emulator."""

from ftbridge_fireworks.adapter import FireworksProvider as Provider

__all__ = ["Provider"]
