"""One retry policy for every provider: only calls that are safe to repeat, with patience."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay
from tenacity.wait import wait_exponential_jitter

from ftbridge import clock
from ftbridge.errors import NetworkError, VendorError

P = ParamSpec("P")
R = TypeVar("R")

BUDGET_SECONDS = 60.0
"""How long one safe call is retried in all."""

_backoff = wait_exponential_jitter(multiplier=0.5, max=15)


def patiently(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call something that changes nothing, again where the failure may pass.

    Waits exponentially with jitter, or as long as the vendor's ``retry-after`` asks.

    Raises:
        NetworkError, VendorError: the last one, after ``BUDGET_SECONDS``.
    """
    retrying = Retrying(
        retry=retry_if_exception(may_pass),
        wait=_wait,
        stop=stop_after_delay(BUDGET_SECONDS),
        sleep=clock.sleep,
        reraise=True,
    )
    return retrying(call, *args, **kwargs)


def may_pass(error: BaseException) -> bool:
    """Whether trying the same again later can help."""
    return isinstance(error, NetworkError) or (isinstance(error, VendorError) and error.transient)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, VendorError) else None
    return asked if asked is not None else _backoff(state)
