"""An S3 for sandboxes and tests: moto's server, in a thread (the extra ``sandbox_aws``).

moto keeps its buckets in the process, so every server that is started here serves the same ones.
Its other services are not used: they answer too easily.
"""

from __future__ import annotations

import logging
from typing import Any

from ftbridge.errors import NotInstalled

_ANY = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}


def start(*buckets: str, region: str = "us-east-1") -> str:
    """Serve S3 on a free port for as long as the process lives; its address. Makes the buckets.

    Raises:
        NotInstalled: the extra is missing.
    """
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        raise NotInstalled(
            f"an emulated S3 needs {error.name}",
            hint="pip install 'ftbridge[sandbox,sandbox_aws]'",
        ) from None
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    for bucket in buckets:
        client(url, region).create_bucket(Bucket=bucket)
    return url


def client(url: str, region: str = "us-east-1") -> Any:
    """boto3's S3 client for it."""
    import boto3

    return boto3.session.Session().client("s3", endpoint_url=url, region_name=region, **_ANY)
