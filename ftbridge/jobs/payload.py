"""A data file seen through a provider's converter: its size, hash, tokens, losses and faults."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from ftbridge.cost.tokens import Counter
from ftbridge.dataset import BadLine, Dataset
from ftbridge.dataset.dataset import Faults
from ftbridge.dataset.types import Kind
from ftbridge.dataset.vendor_rules import rules_for
from ftbridge.errors import DataError, UsageError
from ftbridge.jobs.spec import DataRef, Method
from ftbridge.provider import Provider

KINDS = {
    Method.SFT: (Kind.CHAT, Kind.TEXT),
    Method.DPO: (Kind.PREFERENCE,),
    Method.RL: (Kind.REWARD,),
}
"""What each method learns from."""


@dataclass
class Converted:
    """A data file seen through a provider's converter, without writing it."""

    sha256: str = ""
    bytes: int = 0
    examples: int = 0
    tokens_low: int = 0
    tokens_high: int = 0
    losses: dict[str, list[int]] = field(default_factory=dict)


def data_ref(dataset: Dataset, examples: int) -> DataRef:
    """How a spec remembers a file.

    Raises:
        UsageError: where the path alone would not bring it back.
    """
    if not dataset.plain:
        raise UsageError(
            "a job's data must be a local file that is read without --from and --map",
            hint=f"ftbridge convert {dataset.source.location} --to canonical -o train.jsonl",
            where="data",
        )
    return DataRef(
        path=str(dataset.path.absolute()),
        sha256=dataset.sha256,
        kind=dataset.kind,
        examples=examples,
        bytes=dataset.bytes,
    )


def payload_lines(provider: Provider, dataset: Dataset) -> Iterator[bytes]:
    """The file in the provider's format, line by line."""
    for item in dataset.examples():
        yield provider.convert(item.example).line + b"\n"


def survey(provider: Provider, dataset: Dataset, counter: Counter) -> Converted:
    """Convert without writing: hash, size, tokens and losses.

    Raises:
        DataError: for bad lines, lines that have no shape at the provider, and whatever its
            ``rules.toml`` says that it rejects; each with its line.
        Unsupported: where the provider takes no examples of this kind.
    """
    found, digest = Converted(), hashlib.sha256()
    rules = rules_for(provider.name, dataset.kind)
    faults = Faults(dataset.source.location)
    for number, example in dataset.examples():
        try:
            converted = provider.convert(example)
        except DataError as error:
            faults.add(BadLine(number, error.message))
            continue
        digest.update(converted.line + b"\n")
        found.bytes += len(converted.line) + 1
        found.examples += 1
        low = counter.low(example)
        found.tokens_low += low
        found.tokens_high += low if counter.high is counter.low else counter.high(example)
        for code in converted.losses:
            found.losses.setdefault(code, []).append(number)
        for fault in rules.look(number, example, converted, low) if rules else ():
            faults.add(fault)
    for fault in rules.finish() if rules else ():
        faults.add(fault)
    faults.require_none(f"ftbridge check {dataset.path} --provider {provider.name}")
    found.sha256 = digest.hexdigest()
    return found


def require_kind(dataset: Dataset, method: Method) -> None:
    """Raise DataError where the examples are not of the kind that the method learns from."""
    if dataset.kind not in KINDS[method]:
        wanted = " or ".join(KINDS[method])
        raise DataError(
            f"{dataset.source.location}: holds {dataset.kind} examples; {method} learns from "
            f"{wanted}",
            hint="choose the --method that fits, or other data (docs/dataset-format.md)",
            where=dataset.source.location,
            code="wrong_kind",
        )
