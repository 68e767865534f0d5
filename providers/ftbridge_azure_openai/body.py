"""The create body in Azure's form: the dialect's, with the training tier, and what Azure refuses.

Sources, read 2026-11-25: github.com/MicrosoftDocs/azure-ai-docs, articles/foundry/openai/includes:
fine-tune-models.md (commit 630ae2d), how-to-reinforcement-fine-tuning-content.md (commit 0ec7a25,
2026-03-19); github.com/microsoft/azure-skills (commit 1a03acf) for open models' ``trainingType``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.dialects import openai as dialect
from ftbridge.errors import UsageError
from ftbridge.graders import Grader, Multi, TextSimilarity
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge_azure_openai import settings


def create_body(
    spec: JobSpec,
    files: tuple[str, str | None],
    key: str,
    options: Mapping[str, str],
    max_suffix: int | None,
) -> dict[str, Any]:
    """The body; the training tier goes where the SDK has no argument for it.

    Args:
        files: training and validation; the first is empty while the second is not known yet.

    Raises:
        UsageError: what Azure would refuse, by its documents.
    """
    if spec.suffix and max_suffix and (len(spec.suffix) > max_suffix or "." in spec.suffix):
        raise UsageError(
            f"the suffix is longer than {max_suffix} characters or holds a dot", where="suffix"
        )
    dialect.check_options(spec, settings.OPTIONS | dialect.OPTIONS)
    dialect.check_tags(spec.tags)
    tier = settings.training_type(options)
    _check_tier(spec.model, tier)
    if spec.method is Method.RL:
        _check_reinforcement(spec, files)
    body = dialect.create_body(spec, *files, key)
    body["metadata"] |= spec.tags
    if tier is not None:
        body["extra_body"] = {"trainingType": settings.TRAINING_TYPES[tier]}
    return body


def _check_tier(model: str, tier: str | None) -> None:
    # Asked for rather than assumed: it decides where the data goes, which the policy must see.
    if model in settings.GLOBAL_ONLY and tier != "global":
        raise UsageError(
            f"{model} is trained in the global tier only",
            hint="give --option training_type=global; its data may then be copied to other regions",
            where="training_type",
        )


def _check_reinforcement(spec: JobSpec, files: tuple[str, str | None]) -> None:
    if files[0] and files[1] is None:
        raise UsageError(
            "rl at Azure needs validation data too",
            hint="give --validation FILE, or a share like --validation 0.1",
            where="validation",
        )
    if spec.grader and _takes_cosine(spec.grader):
        raise UsageError(
            "Azure's text_similarity knows no metric cosine",
            hint="one of: fuzzy_match, bleu, gleu, meteor, rouge_1 to rouge_5, rouge_l",
            where="grader",
        )


def _takes_cosine(grader: Grader) -> bool:
    inside = grader.graders.values() if isinstance(grader, Multi) else (grader,)
    return any(
        isinstance(each, TextSimilarity) and each.evaluation_metric == "cosine" for each in inside
    )
