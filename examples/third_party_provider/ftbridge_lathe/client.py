"""One HTTP client for Lathe; every failure leaves it as one of ftbridge's errors.

A vendor with an SDK needs no such file: the adapter then holds the SDK's client, its retries
switched off, and one context manager that translates the SDK's exceptions.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate

FOLDER = Path(__file__).parent
T = TypeVar("T")


class Client:
    """Safe to call from threads. It never repeats a request: that is the job engine's affair."""

    def __init__(self, address: str, key: str, timeout: float) -> None:
        import httpx

        self._key = key
        self._http = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=timeout
        )
        weakref.finalize(self, self._http.close)

    def call(self, method: str, path: str, read: Callable[[Any], T], **sent: Any) -> T:
        """Send a request and read its answer.

        Args:
            read: makes the result of the decoded JSON; a KeyError in it is a broken answer.
            sent: ``json``, ``content`` or ``params``, as httpx takes them.

        Raises:
            NetworkError: no answer, or none that could be read: the outcome is not known.
            CredentialsError: 401.
            VendorError: any other status of 400 or more.
        """
        import httpx

        try:
            answer = self._http.request(method, path, **sent)
            if answer.is_error:
                raise self._refusal(answer)
            return read(answer.json())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NetworkError(
                f"Lathe did not answer ({type(error).__name__})",
                hint="check the network and option base_url",
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NetworkError(
                f"Lathe's answer could not be read ({type(error).__name__})",
                hint="check option base_url, then try again",
            ) from None

    def _refusal(self, answer: Any) -> VendorError | CredentialsError:
        try:
            said = answer.json()
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}  # a proxy on the way has its own bodies
        code, text = said.get("code"), said.get("message")
        told = Answer(
            status=answer.status_code,
            code=code if isinstance(code, str) else None,
            text=text if isinstance(text, str) else "",
            request_id=answer.headers.get("lathe-request"),
            headers=answer.headers,
        )
        return translate(FOLDER, "Lathe", told, (self._key,))
