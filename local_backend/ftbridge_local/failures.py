"""Calling the trainer's modules: its errors as ftbridge's, its libraries silent."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ftbridge.errors import OperationFailed, UsageError


@contextmanager
def translated() -> Iterator[None]:
    """Turn a TrainerError of the block into ours.

    Raises:
        UsageError: for a recipe that cannot be; OperationFailed for anything else.
    """
    from ftbridge_trainer.errors import TrainerError

    try:
        yield
    except TrainerError as error:
        kind = UsageError if error.code.startswith("recipe") else OperationFailed
        raise kind(error.message, code=error.code, hint=error.hint) from None


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, log lines or deprecation warnings of torch's kin in the block."""
    from ftbridge_trainer.model import silence

    with warnings.catch_warnings():
        silence()
        yield
