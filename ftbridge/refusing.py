"""A provider that trains nothing: its catalogue says why (``[nothing]``), and so does every call.

It is a provider like any other, so that whoever looks for it finds the reason: plan, submit,
compare, doctor and providers read the catalogue as they do for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NoReturn

from ftbridge.catalogue import Nothing
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import Unsupported
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import CheckedUpload
from ftbridge.provider import OPERATIONS, Check, Provider, RemoteFile, RemoteJob


class RefusingProvider(Provider):
    """Refuses everything with the catalogue's sentence; a subclass names itself and its folder."""

    kind: ClassVar[Literal["managed", "compute", "local"]] = "managed"
    bills = False
    leaves = False
    absent: ClassVar[Mapping[str, str]] = dict.fromkeys(
        OPERATIONS, "nothing is trained here; see `ftbridge providers` for where"
    )

    @classmethod
    def why(cls) -> Nothing:
        """The catalogue's reason; that there is none is our bug."""
        found = cls.catalogue().nothing
        if found is None:
            raise ValueError(f"{cls.name}: the catalogue lacks [nothing]")
        return found

    @property
    def endpoint(self) -> str:
        """None: nothing is sent."""
        return ""

    @property
    def at_vendor(self) -> bool:
        """There is no address."""
        return False

    @property
    def account(self) -> str:
        """No account is asked for."""
        return "none"

    def convert(self, example: Example) -> Converted:
        """No format: nothing is sent."""
        self._refuse()

    def parse(self, line: bytes) -> Example:
        """No format."""
        self._refuse()

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """No request."""
        self._refuse()

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """Nothing is sent."""
        self._refuse()

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """No job."""
        self._refuse()

    def get(self, remote_id: str) -> RemoteJob:
        """No job."""
        self._refuse()

    def doctor(self) -> list[Check]:
        """The reason and what remains."""
        why = self.why()
        return [Check("fine-tuning", False, f"{why.message} (as of {why.as_of})", why.hint)]

    def _refuse(self) -> NoReturn:
        why = self.why()
        raise Unsupported(f"{why.message} (as of {why.as_of}: {why.source})", hint=why.hint)
