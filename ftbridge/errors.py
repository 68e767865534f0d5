"""Every error that ftbridge raises on purpose, in one tree.

    FtbridgeError                     exit  what it means
    ├── UsageError                       2  the command or call is wrong
    ├── DataError                        3  a file is missing or its content is bad
    │   └── LossError                    3  a conversion would lose something
    ├── ProviderError                    4  the other side, or the way to it
    │   ├── NotInstalled                 4  an extra is missing
    │   ├── CredentialsError             4  a key is missing or refused
    │   ├── Unsupported                  4  this provider cannot do that
    │   ├── ServiceClosed                4  the vendor takes no such jobs any more
    │   ├── VendorError                  4  the vendor answered with an error
    │   └── NetworkError                 4  no answer; whether it arrived is not known
    ├── Refused                          5  not allowed here
    │   ├── PolicyRefused                5  by the data policy
    │   └── BudgetRefused                5  by a price limit
    └── OperationFailed                  1  it ran and did not succeed
        ├── JobFailed                    1  a training job failed
        ├── JobUncertain                 1  a create whose outcome is not known
        └── LedgerError                  1  the ledger cannot be read or written

Each has a stable ``code``, a ``message`` (what happened), a ``hint`` (what to do next) and
``where`` (file, line, field or job). No message carries a secret or training text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar


class FtbridgeError(Exception):
    """Base of all errors for people. ``str(error)`` is the message without the hint.

    ``document`` holds what belongs beside ``error`` in the CLI's JSON, such as ``losses``.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        where: str = "",
        document: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.where = where
        self.document = dict(document or {})

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that the CLI prints under ``error``."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "where": self.where,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.__dict__, self.args))


def _rebuild(
    cls: type[FtbridgeError], state: dict[str, Any], args: tuple[Any, ...]
) -> FtbridgeError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(FtbridgeError):
    """The call itself is wrong: unknown name, bad value, options that contradict."""

    exit_code = 2
    default_code = "usage"


class DataError(FtbridgeError):
    """A data file is missing, unreadable or breaks a rule."""

    exit_code = 3
    default_code = "bad_data"


class LossError(DataError):
    """Converting to the provider's format would lose something and nobody allowed it.

    ``document`` has ``losses``: code, count and first line numbers of each.
    """

    default_code = "lossy"


class ProviderError(FtbridgeError):
    """Something on the provider's side, or on the way there."""

    exit_code = 4
    default_code = "provider"


class NotInstalled(ProviderError):
    """The provider's packages are not installed; the hint is the pip line."""

    default_code = "not_installed"


class CredentialsError(ProviderError):
    """No credentials, or the vendor refused them."""

    default_code = "credentials"


class Unsupported(ProviderError):
    """The provider has no such operation, model, method or option."""

    default_code = "unsupported"


class ServiceClosed(ProviderError):
    """The vendor's service or model is closed, by a dated source."""

    default_code = "closed"


class VendorError(ProviderError):
    """The vendor answered with an error.

    ``status`` is the HTTP status, ``vendor_code`` and ``vendor_type`` the vendor's own words,
    ``request_id`` what its support asks for. ``transient`` says that trying later may help.
    """

    default_code = "vendor"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        where: str = "",
        status: int | None = None,
        vendor_code: str | None = None,
        vendor_type: str | None = None,
        request_id: str | None = None,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint, where=where)
        self.status = status
        self.vendor_code = vendor_code
        self.vendor_type = vendor_type
        self.request_id = request_id
        self.transient = transient
        self.retry_after = retry_after

    def to_dict(self) -> dict[str, Any]:
        """The base form plus what the vendor said."""
        return super().to_dict() | {
            "status": self.status,
            "vendor_code": self.vendor_code,
            "vendor_type": self.vendor_type,
            "request_id": self.request_id,
        }


class NetworkError(ProviderError):
    """No answer came. Whether the request was carried out is not known."""

    default_code = "network"


class Refused(FtbridgeError):
    """Possible, but not allowed here."""

    exit_code = 5
    default_code = "refused"


class PolicyRefused(Refused):
    """The data policy forbids it; ``where`` names the rule."""

    default_code = "policy"


class BudgetRefused(Refused):
    """The price is over the limit, or not known."""

    default_code = "budget"


class OperationFailed(FtbridgeError):
    """It was tried and did not succeed."""

    default_code = "failed"


class JobFailed(OperationFailed):
    """A training job ended without a model."""

    default_code = "job_failed"


class JobUncertain(OperationFailed):
    """A create was sent and its outcome cannot be found out by us."""

    default_code = "uncertain"


class LedgerError(OperationFailed):
    """The ledger cannot be read or written. Nothing was changed."""

    default_code = "ledger"


def in_words(error: FtbridgeError) -> dict[str, Any]:
    """An error as JSON, for another process of ours."""
    return {
        "class": type(error).__name__,
        "state": json.loads(json.dumps(vars(error), default=str)),
    }


def from_words(told: Mapping[str, Any]) -> FtbridgeError:
    """The inverse of :func:`in_words`; a class that is not of this module comes as its base."""
    kind = globals().get(str(told["class"]), FtbridgeError)
    if not (isinstance(kind, type) and issubclass(kind, FtbridgeError)):
        kind = FtbridgeError
    return _rebuild(kind, dict(told["state"]), (told["state"]["message"],))
