"""Rows that a model has written and no person has accepted: they are never trained on.

``metadata.draft`` tells of a row that it is one: ``status`` (``draft``, ``accepted``, ``rejected``)
and where it is from. Every reader of examples refuses what is not ``accepted``.
"""

from __future__ import annotations

from typing import Any

KEY = "draft"
DRAFT, ACCEPTED, REJECTED = "draft", "accepted", "rejected"


def problem_of_draft(metadata: dict[str, Any] | None) -> str | None:
    """Why a row may not be used, if it is a draft that nobody has accepted."""
    if metadata is None or KEY not in metadata:
        return None
    told = metadata[KEY]
    status = told.get("status") if isinstance(told, dict) else None
    if status == ACCEPTED:
        return None
    if status == REJECTED:
        return "`metadata.draft`: a person has rejected this draft; leave it out"
    return (
        "`metadata.draft`: a draft that no person has accepted; look at it with "
        "`ftbridge data review`"
    )
