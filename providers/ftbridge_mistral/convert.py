"""Mistral's instruct lines.

Source: docs.mistral.ai/capabilities/finetuning/text_finetuning (read 2026-11-24). Images are
left out: the page is for text models. ``weight`` is that of mistral-finetune's README.
"""

from __future__ import annotations

from ftbridge.dataset.types import Kind
from ftbridge.dialects.openai_data import OpenAIShape


class MistralFormat(OpenAIShape):
    """Roles, tools and weights; no names, images, strict schemas or parallel calls."""

    name = "mistral"
    kinds = (Kind.CHAT,)
    takes_names = False
    takes_images = False
    takes_parallel = False
    takes_strict = False


FORMAT = MistralFormat()
