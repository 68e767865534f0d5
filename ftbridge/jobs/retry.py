"""One retry policy for every provider: conditions, patience and the vendor's own wish.

What may be repeated depends on what a call does (:data:`EFFECTS`). A call that reads is repeated
after any failure that may pass. One that asks for a state (cancel, pause) may be repeated too:
asking twice changes nothing. One that makes something is repeated only where the vendor has
surely done nothing (429): after anything else somebody has to look first.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import ParamSpec, TypeVar

from tenacity import RetryCallState, Retrying
from tenacity.stop import stop_before_delay
from tenacity.wait import wait_base, wait_exponential, wait_random

from ftbridge import clock
from ftbridge.errors import NetworkError, VendorError
from ftbridge.provider import Provider

P = ParamSpec("P")
R = TypeVar("R")

FIRST_WAIT = 0.5
LONGEST_WAIT = 15.0


class Effect(StrEnum):
    """What happens if a call is carried out twice."""

    READS = "reads"
    SETTLES = "settles"  # the second time changes nothing
    MAKES = "makes"  # the second time makes a second one


EFFECTS = {
    "get": Effect.READS,
    "get_many": Effect.READS,
    "find": Effect.READS,
    "find_upload": Effect.READS,
    "file_state": Effect.READS,
    "history": Effect.READS,
    "events": Effect.READS,
    "metrics": Effect.READS,
    "checkpoints": Effect.READS,
    "quote": Effect.READS,
    "preflight": Effect.READS,
    "download": Effect.READS,
    "cancel": Effect.SETTLES,
    "pause": Effect.SETTLES,
    "resume": Effect.SETTLES,
    "delete": Effect.SETTLES,
    "purge": Effect.SETTLES,
    "undeploy": Effect.SETTLES,
    "delete_model": Effect.SETTLES,
    "upload": Effect.MAKES,
    "create": Effect.MAKES,
    "deploy": Effect.MAKES,
}
"""Every call of a provider that goes over the network."""


def patiently(provider: Provider, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Make a call of ``provider``, again where that is safe and may help.

    Waits exponentially with jitter, or as long as the vendor's ``retry-after`` asks; never longer
    than the provider's ``patience_seconds`` in all.

    Raises:
        NetworkError, VendorError: the last one; its hint says how often it was tried.
    """
    effect = EFFECTS[call.__name__]
    patience = provider.patience_seconds
    retrying = Retrying(
        retry=lambda state: _may_repeat(state, effect),
        wait=_Wait(patience),
        stop=stop_before_delay(patience),
        sleep=clock.sleep,
        retry_error_callback=_tell_attempts,
    )
    return retrying(call, *args, **kwargs)


def may_pass(error: BaseException | None) -> bool:
    """Whether trying the same again later can help."""
    return isinstance(error, NetworkError) or (isinstance(error, VendorError) and error.transient)


def surely_not_done(error: BaseException | None) -> bool:
    """Whether the vendor refused before it did anything, for now."""
    return isinstance(error, VendorError) and error.transient and error.status == 429


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _may_repeat(state: RetryCallState, effect: Effect) -> bool:
    error = _error(state)
    return surely_not_done(error) if effect is Effect.MAKES else may_pass(error)


class _Wait(wait_base):
    """The vendor's own wish, else exponential with jitter, in proportion to the patience."""

    def __init__(self, patience: float) -> None:
        first = min(FIRST_WAIT, patience / 40)
        # Not wait_exponential_jitter: its first argument has another name in 9.1 and 9.2.
        self._backoff = wait_exponential(first, LONGEST_WAIT) + wait_random(0, first)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = _error(retry_state)
        asked = error.retry_after if isinstance(error, VendorError) else None
        return asked if asked is not None else self._backoff(retry_state)


def _tell_attempts(state: RetryCallState) -> None:
    error = _error(state)
    assert error is not None
    if isinstance(error, NetworkError | VendorError):
        tried = f"tried {state.attempt_number} times in {state.seconds_since_start or 0:.0f} s"
        wish = error.retry_after if isinstance(error, VendorError) else None
        asked = f"; the vendor asks to wait {wish:.0f} s" if wish else ""
        error.hint = "; ".join(part for part in (error.hint, tried + asked) if part)
    raise error
