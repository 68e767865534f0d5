"""An emulated Bedrock account and its S3, both behind one fault injector."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from emulated import Place, Switch

from ftbridge.testing import s3
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_bedrock.emulator import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, create_app

ROLE = f"arn:aws:iam::{ACCOUNT}:role/tuning"


@dataclass
class Account(Place):
    """The emulator and the S3 beside it. Each reset has a bucket of its own."""

    s3_url: str = ""
    direct_s3: str = ""
    bucket: str = field(default_factory=lambda: f"ftb-{uuid.uuid4().hex[:12]}")

    def reset(self, speed: float = 1.0) -> Any:
        """Begin anew with an empty account, an empty bucket and no faults."""
        self.bucket = f"ftb-{uuid.uuid4().hex[:12]}"
        self.objects.create_bucket(Bucket=self.bucket)
        return super().reset(speed)

    @property
    def objects(self) -> Any:
        """boto3's S3 client, past the injector."""
        return s3.client(self.direct_s3)

    def uploaded(self) -> list[str]:
        """The keys of the training files that are in the bucket."""
        found = self.objects.list_objects_v2(Bucket=self.bucket, Prefix="ftbridge/data/")
        return [item["Key"] for item in found.get("Contents", ())]

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        return {
            "FTBRIDGE_HOME": str(home),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_BEDROCK": self.url,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.url,
            "AWS_ENDPOINT_URL_STS": self.url,
            "AWS_ENDPOINT_URL_S3": self.s3_url,
            "FTBRIDGE_BEDROCK_BUCKET": self.bucket,
            "FTBRIDGE_BEDROCK_ROLE_ARN": ROLE,
            "FTBRIDGE_BEDROCK_SETTLE_SECONDS": "0.1",
            "FTBRIDGE_BEDROCK_POLL_SECONDS": "0.05",
            "FTBRIDGE_BEDROCK_PATIENCE_SECONDS": "1",
            "FTBRIDGE_BEDROCK_REQUESTS_PER_SECOND": "200",
        } | more


@contextmanager
def account() -> Iterator[Account]:
    """Serve one. The two servers share rules and the log of requests."""
    data = s3.start()
    create = partial(create_app, data)
    switch = Switch(create())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        beside = Injector(data, injector.rules, injector.requests)
        urls = [stack.enter_context(each.serve()) for each in (injector, beside)]
        yield Account(create, switch, injector, urls[0], s3_url=urls[1], direct_s3=data)
