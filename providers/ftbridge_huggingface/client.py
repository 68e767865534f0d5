"""The SDK's client, with the time limits that it lacks and without the retries that it has.

``huggingface_hub`` 2.4.0 sends all requests through one session of the process: without a time
limit, some of them tried again up to five times with a line on stderr each. Repeating is the
core's decision here. So the session's ``send`` is wrapped once, and what is sent inside
:func:`within`, and nothing else, gets our limit and ends at its first failure.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ftbridge_huggingface.failures import translated

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_LIMIT: ContextVar[float | None] = ContextVar("ftbridge_huggingface_limit", default=None)
_LOCK = threading.Lock()


def connect(endpoint: str, token: str) -> HfApi:
    """A client for one address and one token; it draws no progress bars."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    return HfApi(endpoint=endpoint.rstrip("/").removesuffix("/v1"), token=token)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Calls of the SDK whose requests wait so long at most; their errors are ours.

    Raises:
        NetworkError, CredentialsError, VendorError: as :func:`failures.translated`.
    """
    from huggingface_hub.utils import get_session

    with _LOCK:
        session: Any = get_session()
        if not hasattr(session, "ftbridge_send"):
            session.ftbridge_send = session.send
            session.send = _sending(session)
    mark = _LIMIT.set(seconds)
    try:
        with translated():
            yield
    finally:
        _LIMIT.reset(mark)


def _sending(session: Any) -> Any:
    from huggingface_hub.utils import hf_raise_for_status

    def send(request: Any, **more: Any) -> Any:
        seconds = _LIMIT.get()
        if seconds is None:
            return session.ftbridge_send(request, **more)
        limits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        request.extensions = {**request.extensions, "timeout": limits}
        with translated():
            response = session.ftbridge_send(request, **more)
            if response.is_error:
                response.read()
                hf_raise_for_status(response)
            return response

    return send
