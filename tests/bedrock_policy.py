"""The IAM policy in Bedrock's README, made of the calls that the emulator and its S3 have recorded.

``python tests/bedrock_policy.py`` writes it anew. IAM names most actions as the operations; where
it does not (AWS's service authorization reference, seen 2026-11-25), :data:`OTHERS` says so.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bedrock_sandbox import Account, account

from ftbridge import clock
from ftbridge.files import sha256_of
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.policy import Privacy, check_stage, check_upload
from ftbridge.provider import ChatRequest, Context
from ftbridge_bedrock import Provider
from ftbridge_bedrock.emulator import shapes

README = Path(__file__).parents[1] / "providers" / "ftbridge_bedrock" / "README.md"
BEGIN, END = "<!-- policy -->\n", "<!-- /policy -->\n"
OTHERS = {"bedrock:Converse": "bedrock:InvokeModel", "s3:HeadObject": "s3:GetObject"}
NO_PERMISSION = "sts:GetCallerIdentity"
LLAMA = "meta.llama3-1-8b-instruct-v1:0:128k"


def tour(served: Account, home: Path) -> set[str]:
    """Everything that the adapter ever asks for, as IAM actions."""
    served.reset()
    with patch.object(clock, "sleep", lambda _: served.pass_time(10)):
        for model in ("amazon.nova-lite-v1:0:300k", LLAMA):
            _job(served, home, model)
        _import(served, home)
    asked = [(one.method, one.path) for one in served.store.requests]
    bedrock = {_operation(method, path) for method, path in asked}
    data = {_storage(method, path) for method, path in served.injector.requests if
            path.startswith(f"/{served.bucket}")}  # fmt: skip
    found = {OTHERS.get(name, name) for name in bedrock | data}
    return found - {NO_PERMISSION} | {"iam:PassRole"}


def _provider(served: Account, home: Path) -> Provider:
    place = {"bucket": served.bucket, "role_arn": served.env(home)["FTBRIDGE_BEDROCK_ROLE_ARN"]}
    return Provider(Context(home, {**place, "poll_seconds": "0.01"}))


def _job(served: Account, home: Path, model: str) -> None:
    provider = _provider(served, home)
    data = home / "data.jsonl"
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]
    data.write_text(json.dumps({"messages": turns}) + "\n")
    ref = DataRef(path=str(data), sha256="0" * 64, kind="chat", examples=1, bytes=1)
    spec = JobSpec(provider="bedrock", model=model, training=ref)
    writer = provider.suited(spec)
    sent = home / "sent.jsonl"
    sent.write_bytes(_lines(writer, turns))
    upload = check_upload(sent, sha256_of(sent), "training", Privacy.PUBLIC, provider.destination)
    assert all(check.ok for check in provider.doctor())
    provider.preflight(spec)
    provider.find_upload(upload)
    file = provider.upload(upload)
    key = f"ftb-{model[:5].replace('.', '-')}1"
    made = provider.create(provider.request(spec, file.id, None, key), key)
    provider.find(key)
    _stopped(provider, spec, file.id)
    served.pass_time(60)
    done = provider.get(made.id)
    provider.history(made.id)
    assert done.model
    provider.deploy(done.model)
    provider.chat(done.model, ChatRequest([{"role": "user", "content": "hi"}]))
    provider.undeploy(done.model)
    provider.delete_model(done.model)
    provider.purge(file.id)


def _lines(writer: Any, turns: list[dict[str, str]]) -> bytes:
    from ftbridge.dataset.types import Chat, Message

    chat = Chat(messages=[Message(each["role"], each["content"]) for each in turns])  # type: ignore[arg-type]
    return bytes(writer.convert(chat).line) + b"\n"


def _stopped(provider: Provider, spec: JobSpec, file: str) -> None:
    """More jobs, so that a list is asked for; one is stopped."""
    made = [
        provider.create(provider.request(spec, file, None, key), key).id
        for key in (f"ftb-{spec.model[:4]}{number}-stop" for number in range(4))
    ]
    provider.get_many(made)
    provider.cancel(made[0])


def _import(served: Account, home: Path) -> None:
    """Weights of ours, imported and deleted again."""
    provider = _provider(served, home)
    folder = home / "weights"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    uploads = [
        check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, provider.destination)
        for path in sorted(folder.iterdir())
    ]
    names = [path.name for path in sorted(folder.iterdir())]
    model = provider.import_weights(check_stage(uploads), names, "policy-tour")
    provider.delete_model(model)


def _operation(method: str, path: str) -> str:
    """The operation behind a request to the emulator, by the routes of the service models."""
    if path == "/":
        return NO_PERMISSION
    fits = []
    for service in ("bedrock", "bedrock-runtime"):
        for name in shapes.operation(service, _ANY[service]).service_model.operation_names:
            http = shapes.operation(service, name).http
            pattern = re.sub(r"\\\{[^}]+\\\}", "(.+)", re.escape(http["requestUri"]))
            if http["method"] == method and re.fullmatch(pattern, path):
                fits.append((len(pattern), f"bedrock:{name}"))
    return max(fits)[1]


_ANY = {"bedrock": "GetFoundationModel", "bedrock-runtime": "Converse"}


def _storage(method: str, path: str) -> str:
    """The IAM action of a request to S3."""
    _, _, rest = path.lstrip("/").partition("/")
    key, _, query = rest.partition("?")
    if not key:
        return "s3:ListBucketVersions" if "versions" in path else "s3:ListBucket"
    if method == "DELETE":
        return "s3:DeleteObjectVersion" if "versionId" in query else "s3:DeleteObject"
    return {"GET": "s3:GetObject", "HEAD": "s3:GetObject"}.get(method, "s3:PutObject")


def document(actions: Iterable[str]) -> dict[str, Any]:
    """The least that allows these actions, with the names to fill in."""
    groups: list[tuple[str, str, str | list[str]]] = [
        ("Jobs", "bedrock:", "*"),
        ("Objects", "s3:(Get|Put|Delete)", "arn:aws:s3:::BUCKET/ftbridge/*"),
        ("Bucket", "s3:List", "arn:aws:s3:::BUCKET"),
        ("Role", "iam:", "arn:aws:iam::ACCOUNT:role/ROLE"),
    ]
    return {"Version": "2012-10-17", "Statement": list(_statements(groups, sorted(actions)))}


def _statements(groups: list[Any], actions: list[str]) -> Iterator[dict[str, Any]]:
    for name, start, resource in groups:
        mine = [action for action in actions if re.match(start, action)]
        yield {"Sid": name, "Effect": "Allow", "Action": mine, "Resource": resource}


def page(actions: Iterable[str]) -> str:
    """The block of the README."""
    return f"{BEGIN}```json\n{json.dumps(document(actions), indent=2)}\n```\n{END}"


def main() -> None:
    """Write the README's block anew."""
    with account() as served, tempfile.TemporaryDirectory() as folder:
        served.reset()
        os.environ.update(served.env(Path(folder)))
        made = page(tour(served, Path(folder)))
    text = README.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    README.write_text(head + made + rest.partition(END)[2], "utf-8")
    sys.stdout.write(made)


if __name__ == "__main__":
    main()
