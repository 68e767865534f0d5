"""The emulator as ``ftbridge sandbox bedrock`` runs it: with an S3 and a bucket beside it."""

from __future__ import annotations

from typing import Any

from ftbridge.provider import Sandbox

from .app import ACCESS_KEY, SECRET_KEY, create_app
from .store import ACCOUNT, REGION

BUCKET = "ftbridge-sandbox"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ftbridge-sandbox"


def sandbox() -> Sandbox:
    """The emulator and moto's S3, in one process; the bucket is there, the role is a name."""
    from ftbridge.testing.s3 import start

    started: dict[str, str] = {}

    def app(speed: float, latency: float) -> Any:
        started["s3"] = start(BUCKET)
        return create_app(started["s3"], speed=speed, latency=latency)

    def variables(url: str) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_BEDROCK": url,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
            "AWS_ENDPOINT_URL_STS": url,
            "AWS_ENDPOINT_URL_S3": started["s3"],
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "FTBRIDGE_BEDROCK_BUCKET": BUCKET,
            "FTBRIDGE_BEDROCK_ROLE_ARN": ROLE,
            "FTBRIDGE_BEDROCK_SETTLE_SECONDS": "2",
            "FTBRIDGE_BEDROCK_POLL_SECONDS": "0.5",
        }

    return Sandbox(app=app, variables=variables)
