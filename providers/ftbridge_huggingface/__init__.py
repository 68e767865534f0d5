"""Hugging Face Jobs for ftbridge: adapter, catalogue, prices and emulator."""

from ftbridge_huggingface.adapter import HuggingFaceProvider as Provider

__all__ = ["Provider"]
