"""A small threaded service that fine-tunes for its users through the library.

usage: python service.py [--port N] [--home DIR]

POST /jobs {"data": PATH, "provider": NAME, ...} plans and submits; GET /jobs/ID looks once;
POST /jobs/ID/cancel stops. One :class:`ftbridge.Bridge` serves all threads. Every class of error
that the library documents becomes one HTTP status, with the sentence and the next step in the body.
An asyncio application would call the same methods through ``await asyncio.to_thread(...)``.
"""

from __future__ import annotations

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import ftbridge

STATUS: tuple[tuple[type[ftbridge.FtbridgeError], int], ...] = (
    (ftbridge.UsageError, 400),
    (ftbridge.LossError, 422),  # a DataError too, so it stands first
    (ftbridge.DataError, 422),
    (ftbridge.NotInstalled, 501),
    (ftbridge.CredentialsError, 502),
    (ftbridge.Unsupported, 400),
    (ftbridge.ServiceClosed, 410),
    (ftbridge.VendorError, 502),
    (ftbridge.NetworkError, 504),
    (ftbridge.ProviderError, 502),
    (ftbridge.PolicyRefused, 403),
    (ftbridge.BudgetRefused, 402),
    (ftbridge.Refused, 403),
    (ftbridge.JobFailed, 409),
    (ftbridge.JobUncertain, 409),
    (ftbridge.LedgerError, 500),
    (ftbridge.OperationFailed, 409),
)


def status_of(error: ftbridge.FtbridgeError) -> int:
    """The HTTP status of an error; the most specific class comes first."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


class Handler(BaseHTTPRequestHandler):
    """One request; ``server.bridge`` is shared."""

    server: Service

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_GET(self) -> None:
        self._answer(self._get)

    def _post(self) -> dict[str, Any]:
        parts = self.path.strip("/").split("/")
        if parts == ["jobs"]:
            length = int(self.headers.get("content-length", 0))
            wanted = json.loads(self.rfile.read(length))
            plan = self.server.bridge.plan(wanted.pop("data"), **wanted)
            return self.server.bridge.submit(plan).to_dict()
        if len(parts) == 3 and parts[0] == "jobs" and parts[2] == "cancel":
            return self.server.bridge.job(parts[1]).cancel().to_dict()
        raise ftbridge.UsageError(f"no such address: {self.path}")

    def _get(self) -> dict[str, Any]:
        parts = self.path.strip("/").split("/")
        if parts == ["jobs"]:
            return {"jobs": [job.to_dict() for job in self.server.bridge.jobs(limit=50)]}
        if len(parts) == 2 and parts[0] == "jobs":
            job = self.server.bridge.job(parts[1])
            job.refresh()
            return job.to_dict()
        raise ftbridge.UsageError(f"no such address: {self.path}")

    def _answer(self, act: Any) -> None:
        try:
            status, body = 200, act()
        except ftbridge.FtbridgeError as error:
            status, body = status_of(error), {"error": error.to_dict()}
        except (ValueError, KeyError, TypeError) as error:
            status, body = 400, {"error": {"code": "bad_request", "message": type(error).__name__}}
        content = json.dumps(body, default=float).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests name files; they are not logged."""


class Service(ThreadingHTTPServer):
    """A thread a request, one bridge for all."""

    def __init__(self, port: int, home: str | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.bridge = ftbridge.Bridge(home)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--home")
    wanted = parser.parse_args()
    with Service(wanted.port, wanted.home) as service:
        print(f"http://127.0.0.1:{service.server_port}/jobs", flush=True)
        service.serve_forever()


if __name__ == "__main__":
    main()
