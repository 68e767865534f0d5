"""Fireworks' errors, raised by the real SDK (fireworks-ai 1.2.30), become ours."""

from __future__ import annotations

import httpx
import pytest

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge_fireworks.failures import translated

KEY = "fw_secret"


def ask(answer: httpx.Response | Exception) -> None:
    """One call of the SDK that gets this answer."""
    from fireworks import Fireworks

    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.Client(transport=httpx.MockTransport(handle))
    client = Fireworks(api_key=KEY, account_id="a", max_retries=0, http_client=transport)
    with client, translated():
        client.supervised_fine_tuning_jobs.get("j")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIREWORKS_API_KEY", KEY)


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 412, 429, 500, 503])
@pytest.mark.parametrize("nested", [False, True])
def test_a_status_has_cause_request_id_and_no_secret(status: int, nested: bool) -> None:
    said = {"code": 99, "message": f"no: {KEY}"}
    headers = {"x-request-id": "r1"}
    body = {"error": said} if nested else said
    with pytest.raises(VendorError) as caught:
        ask(httpx.Response(status, json=body, headers=headers))
    error = caught.value
    assert (error.status, error.request_id) == (status, "r1")
    assert error.hint
    assert KEY not in f"{error} {error.hint} {error!r}"


def test_a_401_is_about_credentials() -> None:
    with pytest.raises(CredentialsError):
        ask(httpx.Response(401, json={"code": 16, "message": "no"}))


@pytest.mark.parametrize("answer", [httpx.ConnectError("x"), httpx.ReadTimeout("x")])
def test_no_answer_is_a_network_error(answer: Exception) -> None:
    with pytest.raises(NetworkError):
        ask(answer)
