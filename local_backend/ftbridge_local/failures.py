"""The trainer's errors as ftbridge's: the trainer never imports ftbridge."""

from __future__ import annotations

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
