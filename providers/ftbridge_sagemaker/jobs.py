"""The calls about training jobs that both adapters make, and what both know of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from ftbridge.dialects import aws
from ftbridge.errors import CredentialsError, FtbridgeError, UsageError, VendorError
from ftbridge.jobs.states import State
from ftbridge.provider import Check, Provider
from ftbridge.shapes import RemoteJob
from ftbridge.stores.s3 import Access, S3Store
from ftbridge_sagemaker import settings, wire

FOLDER = Path(__file__).parent
TIMEOUT_SECONDS = 60.0
_ABSENT = frozenset({"ValidationException", "ResourceNotFound", "ResourceNotFoundException"})
"""What a describe by name answers where nothing has that name. Most operations say
ValidationException, although the model has ResourceNotFound (github.com/boto/boto3/issues/2808)."""


class SageMaker(Provider):
    """Where the two meet: addresses, account, store, and the life of a training job."""

    extra = "sagemaker"
    sdk = ("boto3",)
    rate_default = 5.0

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else boto3's variables, else the region's own address."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of AWS's."""
        return aws.at_vendor(self.endpoint)

    @property
    def account(self) -> str:
        """The role's account, or a short hash of the key's id; the address too where it is
        another's."""
        account = aws.account(self.context.options)
        return account if self.at_vendor else f"{account}@{self.endpoint}"

    @property
    def region(self) -> str | None:
        """Option ``region``, else AWS's variables."""
        return aws.region(self.context.options)

    @property
    def kept(self) -> dict[str, str]:
        """Where the job and its files are."""
        given = self.context.options
        return {name: given[name] for name in settings.KEPT if name in given}

    # -- calls -------------------------------------------------------------------------------

    def store(self) -> S3Store:
        """Option ``bucket`` below option ``prefix``."""
        options = self.context.options
        access = Access(
            client=lambda: self._clients["s3"],
            border=self._border,
            endpoint=aws.endpoint("s3", options),
            provider=self.name,
        )
        bucket = options.get("bucket", "")
        return S3Store(access, bucket, aws.prefix(options), options.get("kms_key_id"))

    def describe(self, remote_id: str) -> dict[str, Any]:
        """DescribeTrainingJob."""
        with self._border():
            found = self._clients["sagemaker"].describe_training_job(TrainingJobName=remote_id)
            return aws.whole(found, "TrainingJobName", "TrainingJobStatus")

    def start(self, request: Mapping[str, Any]) -> RemoteJob:
        """CreateTrainingJob; a name that is taken is this very job, since names are keys."""
        name = request["TrainingJobName"]
        try:
            with self._border():
                self._clients["sagemaker"].create_training_job(**request)
        except VendorError as error:
            if aws.code_of(error) != "ResourceInUse":
                raise
        try:
            return wire.job(self.describe(name))
        except FtbridgeError:  # it is made, whatever a look at it says
            return RemoteJob(id=name, state=State.QUEUED, raw_state="InProgress")

    def find(self, key: str) -> RemoteJob | None:
        """The job of this name, which is the key; names are never used twice."""
        found = self.unless_absent(lambda: self.describe(key))
        return None if found is None else wire.job(found)

    def stop_job(self, remote_id: str) -> RemoteJob:
        """StopTrainingJob: SIGTERM, and two minutes later the end."""
        with self._border():
            self._clients["sagemaker"].stop_training_job(TrainingJobName=remote_id)
        return wire.job(self.describe(remote_id))

    def delete(self, remote_id: str) -> None:
        """DeleteTrainingJob: the record alone; what it wrote stays in the bucket."""
        if self.unless_absent(lambda: self.describe(remote_id)) is not None:
            with self._border():
                self._clients["sagemaker"].delete_training_job(TrainingJobName=remote_id)

    def unless_absent(self, ask: Callable[[], Any]) -> Any:
        """The answer of a describe by name; None where nothing has that name."""
        try:
            return ask()
        except VendorError as error:
            if aws.code_of(error) in _ABSENT:
                return None
            raise

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """boto3, credentials that it can find, a role and a bucket must be there."""
        self.require_installed()
        with self._border():
            found = self._clients.session.get_credentials()
        if found is None:
            raise CredentialsError(
                "no AWS credentials",
                hint="log in (`aws sso login`), set AWS_ACCESS_KEY_ID and its secret, rehearse "
                f"with `ftbridge sandbox {self.name}`, or train here: --provider local",
                where="AWS_ACCESS_KEY_ID",
            )
        for name in ("role_arn", "bucket"):
            if not self.context.options.get(name):
                raise UsageError(
                    f"{self.name} needs option {name}",
                    hint=f"--option {name}=..., or set FTBRIDGE_{self.name.upper()}_"
                    f"{name.upper()}; see the provider's README",
                    where=name,
                )

    def doctor(self) -> list[Check]:
        """Packages, credentials, who one is, the bucket, and whether jobs may be listed."""
        missing = self.missing()
        said = f"missing: {', '.join(missing)}" if missing else "boto3 is installed"
        checks = [Check("package", not missing, said, self.install_hint() if missing else "")]
        if missing:
            return checks
        for name, ask in (
            ("settings", self._ready), ("identity", self._identity), ("bucket", self._bucket),
            ("access", self._listed),
        ):  # fmt: skip
            try:
                checks.append(Check(name, True, ask()))
            except FtbridgeError as error:
                checks.append(Check(name, False, error.message, error.hint or "see the README"))
                if name == "settings":  # the others would only repeat it
                    break
        return checks

    def _ready(self) -> str:
        self.require_ready()
        return "credentials, role and bucket are named"

    def _identity(self) -> str:
        with self._border():
            return f"account {self._clients['sts'].get_caller_identity()['Account']}"

    def _bucket(self) -> str:
        bucket = self.context.options.get("bucket", "")
        with self._border():
            self._clients["s3"].head_bucket(Bucket=bucket)
        return f"bucket {bucket} is there"

    def _listed(self) -> str:
        with self._border():
            self._clients["sagemaker"].list_training_jobs(MaxResults=1)
        return f"{self.endpoint} lists training jobs"

    @cached_property
    def _clients(self) -> aws.Clients:
        self.require_installed()
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        return aws.Clients(self.context.options, timeout, settings.OURS)

    def _border(self) -> AbstractContextManager[None]:
        return self._translated()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with aws.translated(FOLDER, self._clients):
            yield
