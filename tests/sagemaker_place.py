"""An emulated SageMaker account and its S3 behind one fault injector; its machines pretend."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from emulated import Place, Switch
from pretended import Pretended, leave

from ftbridge import clock
from ftbridge.testing import s3
from ftbridge.testing.faults import Fault
from ftbridge.testing.proxy import Injector, Rule
from ftbridge.testing.rented import Hub
from ftbridge.testing.server import serve
from ftbridge_sagemaker.emulator import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, create_app, machine

ROLE = f"arn:aws:iam::{ACCOUNT}:role/tuning"
PATIENCE = 120
OUT = "/opt/ml/checkpoints"


@dataclass
class Held(Pretended):
    """A machine that waits for the test, where the emulator would start a process."""

    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def out(self) -> Path:
        return self.mounts[OUT]

    @property
    def alive(self) -> bool:
        return not self.gone.is_set()

    def join(self, seconds: float = PATIENCE) -> None:
        self.gone.wait(min(seconds, 0.2))

    def finish(self) -> None:
        leave(self.out)
        self._end(0)

    def reclaim(self) -> None:
        self._end(75)

    def kill(self) -> None:
        self._end(-9)

    def _end(self, code: int) -> None:
        self.ended(code)
        self.gone.set()


def until(reached: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE
    while not reached():
        assert clock.monotonic() < deadline
        clock.sleep(0.01)


class Targeted(Injector):
    """Reads are POST too; the operation's name at the end of the path tells them apart."""

    def on(
        self, method: str, path: str, fault: Fault, *, times: int | None = 1, skip: int = 0
    ) -> Rule:
        verb = "POST" if method == "GET" and path.endswith("$") else method
        return super().on(verb, path, fault, times=times, skip=skip)


@dataclass
class Account(Place):
    """The emulator and the S3 beside it. Each reset has a bucket of its own."""

    s3_url: str = ""
    direct_s3: str = ""
    bucket: str = ""

    def reset(self, speed: float = 1.0) -> Any:
        """Begin anew with an empty account, an empty bucket and no faults."""
        if hasattr(self.switch.app, "state"):
            self.store.close()
        self.bucket = f"ftb-{uuid.uuid4().hex[:12]}"
        self.objects.create_bucket(Bucket=self.bucket)
        return super().reset(speed)

    @property
    def objects(self) -> Any:
        """boto3's S3 client, past the injector."""
        return s3.client(self.direct_s3)

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        found = self.objects.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", ())]

    def uploaded(self) -> list[str]:
        """The keys of the training files."""
        return self.keys("ftbridge/files/")

    def options(self) -> dict[str, str]:
        """What a provider is told, with little patience."""
        quick = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05"}
        return quick | {"bucket": self.bucket, "role_arn": ROLE}

    def machine(self, name: str) -> Held:
        """The machine of a job, once it is on."""
        run = self.store.jobs[name].run
        until(lambda: run._machine is not None)
        found = run._machine
        assert isinstance(found, Held)
        return found

    def end(self, name: str) -> None:
        """Wait until the job's thread has ended."""
        self.store.jobs[name].run.thread.join(PATIENCE)

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        services = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "CLOUDWATCH_LOGS", "STS")
        made = {f"AWS_ENDPOINT_URL_{name}": self.url for name in services} | {
            "FTBRIDGE_HOME": str(home),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_S3": self.s3_url,
        }
        for name in ("SAGEMAKER", "SAGEMAKER_COMPUTE"):
            made |= {f"FTBRIDGE_{name}_{key.upper()}": text for key, text in self.options().items()}
        return made | more

    def point(self, patch: pytest.MonkeyPatch, home: Path) -> None:
        """Let this process lead there, and let machines pretend."""
        for name, value in self.env(home).items():
            patch.setenv(name, value)
        patch.setattr(machine, "Machine", Held)
        patch.setattr(Hub, "offer", lambda hub, model: None)  # nobody loads it


@contextmanager
def account() -> Iterator[Account]:
    """Serve one. The two servers share rules and the log of requests."""
    data = s3.start()
    create = partial(create_app, data)
    switch = Switch(create())
    with ExitStack() as stack:
        injector = Targeted(stack.enter_context(serve(switch)))
        beside = Injector(data, injector.rules, injector.requests)
        urls = [stack.enter_context(each.serve()) for each in (injector, beside)]
        made = Account(create, switch, injector, urls[0], s3_url=urls[1], direct_s3=data)
        yield made
        made.store.close()
