"""SageMaker's serverless model customization through boto3: SFT, DPO, RL by reward or by judge.

Sources: botocore 1.43.117 (sagemaker/2017-07-24), docs.aws.amazon.com sagemaker developer guide,
customizing-models; github.com/aws/sagemaker-python-sdk, sagemaker-train (seen 2026-11-25). Never
run against the live service: no account was at hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ftbridge import weights
from ftbridge.cost.types import Quantity
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.dialects import aws
from ftbridge.errors import OperationFailed, Unsupported, UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import CheckedUpload
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    FileState,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    Sandbox,
)
from ftbridge_sagemaker import request, serving, wire
from ftbridge_sagemaker.convert import FORMAT
from ftbridge_sagemaker.jobs import SageMaker

CHANNELS = ("train", "validation")


class SageMakerProvider(SageMaker):
    """SageMaker trains by itself; one names a model of its public hub."""

    name = "sagemaker"
    kind = "managed"
    folder = Path(__file__).parent
    absent: ClassVar[Mapping[str, str]] = {
        "pause": "SageMaker cannot pause a job; cancel it",
        "resume": "SageMaker cannot resume a serverless job; submit it with --again",
        "metrics": "SageMaker writes a serverless job's metrics to MLflow alone: "
        "--option mlflow_arn=ARN",
        "checkpoints": "SageMaker shows no checkpoints of a serverless job",
        "quote": "AWS names no price for a job; see `ftbridge compare`",
    }

    # -- before the job ----------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """A line of the open models."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """Any of its three shapes."""
        return FORMAT.decode(line)

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The arguments of ``create_training_job``."""
        options = {**self.context.options, **spec.options}
        given = zip(CHANNELS, (training, validation), strict=True)
        files = {name: uri for name, uri in given if uri is not None}
        output = self.store().address(f"jobs/{key}/out")
        return request.create_request(spec, options, files, output, key)

    def explain(self, spec: JobSpec) -> list[str]:
        """That a licence is not accepted silently."""
        if {**self.context.options, **spec.options}.get("accept_eula") == "true":
            return [f"you accept the licence of {spec.model} (accept_eula=true)"]
        return []

    def preflight(self, spec: JobSpec) -> None:
        """DescribeHubContent: whether the model is there, can be tuned so, and has a licence.

        Raises:
            Unsupported: the hub has no such recipe for it.
            UsageError: its licence was not accepted.
        """
        options = {**self.context.options, **spec.options}
        asked = request.create_request(spec, options, {}, "s3://b/o", "k")["ServerlessJobConfig"]
        document = self._hub_document(str(asked["BaseModelArn"]))
        recipes = document.get("RecipeCollection") or []
        known = {str(recipe.get("CustomizationTechnique")) for recipe in recipes}
        wanted = asked["CustomizationTechnique"]
        if wanted not in known:
            raise Unsupported(
                f"SageMaker has no recipe for {wanted} of {spec.model}",
                hint=f"it has: {', '.join(sorted(known)) or 'none'}",
                where="method",
            )
        if document.get("GatedBucket") in (True, "true", "True") and "AcceptEula" not in asked:
            raise UsageError(
                f"{spec.model} has a licence that you must accept yourself",
                hint="read it in SageMaker's model card, then --option accept_eula=true",
                where="accept_eula",
            )

    def _hub_document(self, arn: str) -> dict[str, Any]:
        hub, _, rest = arn.partition(":hub-content/")[2].partition("/Model/")
        with self._border():
            found = self._clients["sagemaker"].describe_hub_content(
                HubName=hub, HubContentType="Model", HubContentName=rest.partition("/")[0]
            )
            found = aws.whole(found, "HubContentDocument")
            document: dict[str, Any] = json.loads(found["HubContentDocument"])
            return document

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """Put the file into the bucket, under its content's name."""
        name, store = f"files/{upload.name}", self.store()
        with upload.open() as content:
            store.write(name, content)
        return RemoteFile(store.address(name), upload.bytes)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """The file of an earlier try, if it is there whole."""
        name, store = f"files/{upload.name}", self.store()
        if store.size(name) != upload.bytes:
            return None
        return RemoteFile(store.address(name), upload.bytes)

    def file_state(self, file_id: str) -> FileState:
        """Whether it is still in the bucket."""
        there = self.store().size(_file(file_id)) is not None
        return FileState(ready=there, missing=not there)

    def purge(self, file_id: str) -> None:
        """Delete every version of it."""
        self.store().remove(_file(file_id))

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """CreateTrainingJob, once the model package group is there."""
        self._ensure_group(request["ModelPackageConfig"]["ModelPackageGroupArn"])
        return self.start(request)

    def _ensure_group(self, arn: str) -> None:
        name, client = arn.rpartition("/")[2], self._clients["sagemaker"]

        def describe() -> Any:
            with self._border():
                return client.describe_model_package_group(ModelPackageGroupName=name)

        if self.unless_absent(describe) is None:
            with self._border():
                client.create_model_package_group(
                    ModelPackageGroupName=name,
                    ModelPackageGroupDescription="Models tuned through ftbridge",
                )

    def get(self, remote_id: str) -> RemoteJob:
        """DescribeTrainingJob; its billed tokens are ``trained_tokens``."""
        return wire.job(self.describe(remote_id))

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """The secondary statuses that the description lists."""
        return wire.events(self.describe(remote_id))

    def cancel(self, remote_id: str) -> RemoteJob:
        """StopTrainingJob."""
        return self.stop_job(remote_id)

    # -- the model ---------------------------------------------------------------------------

    def deploy(self, model: str) -> str:
        """A real-time endpoint of the model package; its name is what is asked."""
        return self._serving.deploy(model)

    def undeploy(self, model: str) -> None:
        """Delete the endpoint and what it was made of; the package stays."""
        self._serving.undeploy(model)

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """InvokeEndpoint, of the endpoint's name or of the package that it serves."""
        name = serving.name_of(model) if model.startswith("arn:") else model
        return self._serving.ask(name, request)

    def hosting(self, base: str) -> list[Quantity]:
        """One hour of the endpoint's instance."""
        instance = self.context.options.get("instance", serving.INSTANCE)
        (hour,) = super().hosting(base)
        formula = f"1 hour of {instance}"
        return [hour.model_copy(update={"priced_as": instance, "formula": formula})]

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """Bring what the job has left in the bucket: the adapter, or all weights after full
        training."""
        if merged:
            raise UsageError(
                "SageMaker leaves an adapter",
                hint="download it without --merged; `ftbridge_trainer.merge` merges it here",
                where="merged",
            )
        found, store = self.describe(remote_id), self.store()
        if found["TrainingJobStatus"] != "Completed":
            raise OperationFailed("the job has no model yet", hint="wait for it to succeed")
        root = store.address("").rstrip("/") + "/"
        address = str(found["ModelArtifacts"]["S3ModelArtifacts"]).rstrip("/")
        if not address.startswith(root):
            raise OperationFailed(
                f"the model lies in {address}, not in your bucket",
                hint="SageMaker keeps some models to itself; deploy it instead",
            )
        folder = address.removeprefix(root)

        def fetch(aside: Path) -> Path:
            for name in store.names(folder):
                store.fetch(f"{folder}/{name}", aside / name)
            return aside

        return weights.bring(fetch, out)

    def delete_model(self, model: str) -> None:
        """DeleteModelPackage; the weights in the bucket go with `purge` of their prefix by hand."""
        client = self._clients["sagemaker"]

        def describe() -> Any:
            with self._border():
                return client.describe_model_package(ModelPackageName=model)

        if self.unless_absent(describe) is not None:
            with self._border():
                client.delete_model_package(ModelPackageName=model)

    # -- access ------------------------------------------------------------------------------

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder."""
        from ftbridge_sagemaker.emulator import sandbox

        return sandbox(cls.name)

    @cached_property
    def _serving(self) -> serving.Serving:
        patience = self._seconds("deploy_seconds", serving.DEPLOY_SECONDS), self.poll_seconds
        return serving.Serving(
            self._clients, self._border, self.unless_absent, self.context.options, patience
        )


def _file(address: str) -> str:
    """The store's name of a data file, from its address."""
    return f"files/{address.rpartition('/')[2]}"
