"""When a call is repeated, how long that takes, and what its end says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from ftbridge import clock
from ftbridge.errors import CredentialsError, FtbridgeError, NetworkError, VendorError
from ftbridge.jobs.retry import EFFECTS, Effect, patiently
from ftbridge.provider import OPERATIONS, Context
from ftbridge.vendor_errors import Answer, explain, retry_after, translate
from ftbridge_openai import Provider

FOLDER = Provider.folder


def _error(status: int, wait: float | None = None) -> VendorError:
    return VendorError("no", status=status, transient=status in (429, 500), retry_after=wait)


class Calls:
    """A provider's call that fails so often, and the sleeps in between."""

    def __init__(self, name: str, *errors: FtbridgeError) -> None:
        self.__name__, self.errors, self.made = name, list(errors), 0

    def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(clock, "sleep", found.append)
    return found


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(Context(tmp_path, {"patience_seconds": "60"}))


def test_every_call_has_its_effect() -> None:
    local = {"chat"}  # not made by the job engine
    assert set(OPERATIONS) - local <= set(EFFECTS)


@pytest.mark.parametrize(
    ("name", "error", "made"),
    [
        ("get", lambda: NetworkError("x"), 3),
        ("get", lambda: _error(500), 3),
        ("get", lambda: _error(404), 1),
        ("get", lambda: CredentialsError("x"), 1),
        ("cancel", lambda: NetworkError("x"), 3),
        ("create", lambda: NetworkError("x"), 1),
        ("create", lambda: _error(500), 1),
        ("create", lambda: _error(429), 3),
        ("upload", lambda: _error(500), 1),
    ],
)
def test_only_what_is_safe_is_repeated(
    provider: Provider, slept: list[float], name: str, error: Callable[[], FtbridgeError], made: int
) -> None:
    calls = Calls(name, error(), error())
    if made == 3:
        assert patiently(provider, calls) == "done"
    else:
        with pytest.raises(FtbridgeError):
            patiently(provider, calls)
    assert calls.made == made and len(slept) == made - 1


def test_waits_grow_with_jitter_and_end(tmp_path: Path, slept: list[float]) -> None:
    provider = Provider(Context(tmp_path, {"patience_seconds": "60"}))
    patiently(provider, Calls("get", *[_error(500) for _ in range(6)]))
    assert slept == sorted(slept) and 0.5 <= slept[0] <= 1.0 and slept[-1] <= 16
    patiently(provider, Calls("get", *[_error(500) for _ in range(6)]))
    assert slept[:6] != slept[6:]
    assert EFFECTS["get"] is Effect.READS


def test_the_vendors_wish_is_obeyed_within_the_patience(
    provider: Provider, slept: list[float]
) -> None:
    patiently(provider, Calls("get", _error(429, 7), _error(500, 3)))
    assert slept == [7, 3]
    with pytest.raises(VendorError) as caught:
        patiently(provider, Calls("get", _error(429, 3600)))
    assert slept == [7, 3]
    assert "tried 1 times" in caught.value.hint and "3600 s" in caught.value.hint


def test_wishes_in_every_form() -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert 85 < (retry_after({"retry-after": format_datetime(later, usegmt=True)}) or 0) <= 90
    past = format_datetime(later - timedelta(days=1), usegmt=True)
    assert retry_after({"retry-after": past}) == 0
    assert [retry_after({"retry-after": text}) for text in ("soon", "-1", "nan", "")] == [None] * 4
    assert retry_after({}) is None


def test_the_most_specific_row_explains() -> None:
    assert "balance" in explain(FOLDER, 429, "insufficient_quota", "x").cause
    assert explain(FOLDER, 429, None, None).cause == "too many requests, or no balance"
    assert explain(FOLDER, 418, None, None).cause == "status 418"


def test_the_vendors_words_are_kept_without_secrets() -> None:
    answer = Answer(404, "gone", "kind", "no sk-1 here", "req_1", {})
    error = translate(FOLDER, "OpenAI", answer, ("sk-1", ""))
    assert isinstance(error, VendorError)
    assert "no *** here" in error.message and error.to_dict()["request_id"] == "req_1"
    assert (error.vendor_code, error.vendor_type) == ("gone", "kind")
    refused = translate(
        FOLDER, "OpenAI", Answer(401, text="bad sk-1", request_id="req_2"), ("sk-1",)
    )
    assert isinstance(refused, CredentialsError)
    assert "req_2" in refused.message and "bad ***" in refused.message
