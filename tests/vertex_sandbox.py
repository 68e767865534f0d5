"""Vertex AI's emulator behind the fault injector, its clock in the test's hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulated import Place, served

from ftbridge_vertex.emulator import BUCKET, LOCATION, PROJECT, TOKEN, create_app


class Project(Place):
    """An emulated project with its bucket."""

    def reset(self, speed: float = 1.0) -> Any:
        """Begin anew, with all machines off."""
        self.close()
        return super().reset(speed)

    def close(self) -> None:
        """Switch all machines off."""
        if hasattr(self.switch.app, "state"):
            self.store.close()

    def uploaded(self) -> list[str]:
        """The addresses of the data in the bucket."""
        return [f"gs://{bucket}/{name}" for bucket, name in self.store.objects]

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        return {
            "FTBRIDGE_HOME": str(home),
            "GOOGLE_VERTEX_BASE_URL": self.url,
            "STORAGE_EMULATOR_HOST": self.url,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "GOOGLE_CLOUD_LOCATION": LOCATION,
            "GOOGLE_OAUTH_ACCESS_TOKEN": TOKEN,
        } | {
            f"FTBRIDGE_{name}_{option}": value
            for name in ("VERTEX", "VERTEX_COMPUTE")
            for option, value in (
                ("BUCKET", BUCKET), ("SETTLE_SECONDS", "0.1"), ("POLL_SECONDS", "0.05"),
                ("PATIENCE_SECONDS", "1"), ("REQUESTS_PER_SECOND", "200"),
            )
        } | more  # fmt: skip


@contextmanager
def project() -> Iterator[Project]:
    """Serve one."""
    with served(Project, create_app) as made:
        yield made
        made.close()
