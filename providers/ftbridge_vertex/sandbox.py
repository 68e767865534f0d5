"""The emulator as ``ftbridge sandbox vertex`` runs it: tuning and storage at one address."""

from __future__ import annotations

from typing import Any

from ftbridge.provider import Sandbox
from ftbridge_vertex.settings import TOKEN


def sandbox() -> Sandbox:
    """The emulator; its bucket is there.

    ``GOOGLE_OAUTH_ACCESS_TOKEN`` is for ftbridge; Google's own client takes the same token as
    ``google.oauth2.credentials.Credentials(token)``.
    """
    from ftbridge_vertex import emulator

    made: list[Any] = []

    def app(speed: float, latency: float) -> Any:
        made.append(emulator.create_app(speed=speed, latency=latency))
        return made[-1]

    def variables(url: str) -> dict[str, str]:
        hub = made[-1].state.store.hub.variables if made else {}  # so that an adapter answers here
        return hub | {
            "GOOGLE_VERTEX_BASE_URL": url,
            "STORAGE_EMULATOR_HOST": url,
            "GOOGLE_GENAI_USE_VERTEXAI": "true",
            "GOOGLE_CLOUD_PROJECT": emulator.PROJECT,
            "GOOGLE_CLOUD_LOCATION": emulator.LOCATION,
            TOKEN: emulator.TOKEN,
        } | {
            f"FTBRIDGE_{name}_{option}": value
            for name in ("VERTEX", "VERTEX_COMPUTE")
            for option, value in (
                ("BUCKET", emulator.BUCKET), ("SETTLE_SECONDS", "2"), ("POLL_SECONDS", "0.5"),
            )
        }  # fmt: skip

    return Sandbox(app=app, variables=variables)
