"""botocore's exceptions as ours, with this folder's ``errors.toml`` (botocore 1.43.117)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, UsageError, VendorError
from ftbridge.vendor_errors import Answer, translate

FOLDER = Path(__file__).parent
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
_CHECK = "check the network, the region, and AWS_ENDPOINT_URL if it is set"
_LOGIN = "log in (`aws sso login`, `aws configure`) or set AWS_ACCESS_KEY_ID and its secret"


@contextmanager
def translated(secrets: Callable[[], tuple[str, ...]]) -> Iterator[None]:
    """Turn botocore's exceptions of the block into ftbridge's.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: none were found, or AWS refused them.
        UsageError: the request does not fit the service model; nothing was sent.
        VendorError: any other refusal, with what ``errors.toml`` says of it.
    """
    from botocore import exceptions
    from urllib3.exceptions import HTTPError

    try:
        yield
    except exceptions.ClientError as error:
        raise _refused(error, secrets()) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError,
            exceptions.TokenRetrievalError, exceptions.CredentialRetrievalError,
            exceptions.SSOError, exceptions.ProfileNotFound) as error:  # fmt: skip
        raise CredentialsError(f"no usable AWS credentials: {error}", hint=_LOGIN) from None
    except exceptions.ParamValidationError as error:
        said = " ".join(str(error).split())
        raise UsageError(f"botocore's model of Bedrock refuses the request: {said}") from None
    except (exceptions.BotoCoreError, exceptions.HTTPClientError, HTTPError, *_UNREADABLE) as error:
        # Also what cannot be parsed, what urllib3 says while a body is read, and a missing member:
        # botocore takes a body that is no JSON for an empty answer, and stumbles over a null.
        kind = type(error).__name__
        raise NetworkError(f"AWS did not give a whole answer ({kind})", hint=_CHECK) from None


def _refused(error: Any, secrets: tuple[str, ...]) -> VendorError | CredentialsError:
    said, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code = str(said.get("Code") or "")
    answer = Answer(
        status=int(about.get("HTTPStatusCode") or 0),
        code=code if code and not code.isdigit() else None,
        type=None,
        text=str(said.get("Message") or ""),
        request_id=about.get("RequestId"),
        headers=about.get("HTTPHeaders", {}),
    )
    return translate(FOLDER, "AWS", answer, secrets)
