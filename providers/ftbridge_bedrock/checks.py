"""``ftbridge doctor bedrock``: settings in words, and one harmless call of each service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from ftbridge.errors import ProviderError
from ftbridge.provider import Check
from ftbridge_bedrock import lifecycle, settings
from ftbridge_bedrock.clients import Clients
from ftbridge_bedrock.staging import Bucket

Border = Callable[[], AbstractContextManager[None]]


def run(
    clients: Clients, border: Border, bucket: Bucket, options: Mapping[str, str]
) -> list[Check]:
    """All checks, each told apart from the others."""
    checks = [Check("package", True, "boto3 is installed"), _credentials(clients, border)]
    checks += [
        _setting(options, "role_arn", bool(settings.ROLE.fullmatch(options.get("role_arn", "")))),
        _setting(options, "bucket", bool(settings.BUCKET.fullmatch(options.get("bucket", "")))),
    ]
    if not all(check.ok for check in checks):
        return checks
    region = settings.region(options)
    return [
        *checks,
        _asked("identity", border, lambda: _identity(clients, options)),
        _asked("access", border, lambda: _jobs(clients, region)),
        _asked("data", border, lambda: _data(bucket, options, region)),
        _asked("models", border, lambda: _models(clients, region)),
    ]


def _setting(options: Mapping[str, str], name: str, good: bool) -> Check:
    hint = "" if good else f"set FTBRIDGE_BEDROCK_{name.upper()} or --option {name}=..."
    return Check(name, good, options.get(name) or "not set", hint)


def _credentials(clients: Clients, border: Border) -> Check:
    hint = "`aws sso login`, `aws configure`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    try:
        with border():
            found = clients.session.get_credentials()
    except ProviderError as error:
        return Check("credentials", False, error.message, error.hint or hint)
    if found is None:
        return Check("credentials", False, "none found", hint)
    return Check("credentials", True, f"found by {found.method}")


def _asked(name: str, border: Border, look: Callable[[], Check]) -> Check:
    try:
        with border():
            return look()
    except ProviderError as error:
        return Check(name, False, error.message, error.hint or "see the message")


def _identity(clients: Clients, options: Mapping[str, str]) -> Check:
    mine, given = clients["sts"].get_caller_identity()["Account"], settings.account(options)
    if mine != given:
        return Check(
            "identity", False, f"the credentials are of {mine}, the role is of {given}",
            "use a role of the same account",
        )  # fmt: skip
    return Check("identity", True, f"account {mine}")


def _jobs(clients: Clients, region: str) -> Check:
    clients["bedrock"].list_model_customization_jobs(maxResults=1)
    return Check("access", True, f"Bedrock in {region} lists customization jobs")


def _data(bucket: Bucket, options: Mapping[str, str], region: str) -> Check:
    where = bucket.check(options["bucket"])
    if where and where != region:
        return Check(
            "data", False, f"the bucket is in {where}, jobs run in {region}",
            "Bedrock reads data in its own region only: choose another bucket or region",
        )  # fmt: skip
    return Check("data", True, f"s3://{options['bucket']} is there")


def _models(clients: Clients, region: str) -> Check:
    rows = clients["bedrock"].list_foundation_models(byCustomizationType="FINE_TUNING")
    lives = [(row["modelId"], lifecycle.of(row)) for row in rows["modelSummaries"]]
    alive = [name for name, life in lives if not life.ended]
    ended = [f"{name} ({life.words})" for name, life in lives if life.ended]
    said = f"{len(alive)} models can be fine-tuned in {region}"
    return Check("models", True, f"{said}; past their end: {', '.join(ended)}" if ended else said)


def makers(clients: Clients, border: Border, maker: str, region: str) -> list[Check]:
    """ListFoundationModels of one maker: each model that is fine-tuned, and whether it lives."""
    name = f"bedrock in {region}"
    hint = f"models of others: `ftbridge models --provider bedrock`; another region than {region}?"
    try:
        with border():
            rows = clients["bedrock"].list_foundation_models(
                byProvider=maker, byCustomizationType="FINE_TUNING"
            )["modelSummaries"]
    except ProviderError as error:
        return [Check(name, None, f"AWS could not be asked: {error.message}", error.hint)]
    if not rows:
        return [Check(name, False, f"AWS lists no model of {maker} that can be tuned today", hint)]
    lives = [(str(row["modelId"]), lifecycle.of(row)) for row in rows]
    return [
        Check(name, not life.ended, f"{model}: {life.words}", hint if life.ended else "")
        for model, life in lives
    ]
