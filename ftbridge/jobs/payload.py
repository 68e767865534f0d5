"""A data file seen through a provider's converter: its size, hash, tokens, losses and faults."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ftbridge.cost.tokens import BATCH, Counter, Tally, Totals, tallying
from ftbridge.dataset import BadLine, Dataset
from ftbridge.dataset.dataset import Faults
from ftbridge.dataset.formats.format import Converted as Line
from ftbridge.dataset.read import Numbered
from ftbridge.dataset.types import Kind
from ftbridge.dataset.vendor_rules import Rules, rules_for
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

    tokens: Totals
    sha256: str = ""
    bytes: int = 0
    examples: int = 0
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
    rules = rules_for(provider.rules(dataset.kind), dataset.kind)
    seen = _Seen(provider, rules, Faults(dataset.source.location))
    limit = rules.max_tokens if rules else None
    with tallying(dataset, counter, provider.context.home, limit) as tally:
        stream = dataset.examples()
        while some := list(islice(stream, BATCH)):
            seen.take(some, tally)
        for fault in rules.finish() if rules else ():
            seen.faults.add(fault)
        seen.faults.require_none(f"ftbridge check {dataset.path} --provider {provider.name}")
        return Converted(
            tokens=tally.finish(),
            sha256=seen.digest.hexdigest(),
            bytes=seen.bytes,
            examples=seen.examples,
            losses=seen.losses,
        )


class _Seen:
    """What a pass over the file has seen so far."""

    def __init__(self, provider: Provider, rules: Rules | None, faults: Faults) -> None:
        self._provider, self._rules, self.faults = provider, rules, faults
        self.digest = hashlib.sha256()
        self.bytes = self.examples = 0
        self.losses: dict[str, list[int]] = {}

    def take(self, some: Sequence[Numbered], tally: Tally) -> None:
        """Some more examples: converted, counted, then held against the rules in their order."""
        lines = self._converted(some)
        good = [
            (item, line) for item, line in zip(some, lines, strict=True) if isinstance(line, Line)
        ]
        sizes = [len(line.line) for _, line in good]
        counted = tally.add([item.example for item, _ in good], sizes) if good else None
        tokens = iter(counted or ())
        for (number, example), line in zip(some, lines, strict=True):
            if isinstance(line, BadLine):
                self.faults.add(line)
                continue
            if line.losses:
                for code in line.losses:
                    self.losses.setdefault(code, []).append(number)
            if self._rules:
                for fault in self._rules.look(number, example, line, next(tokens, None)):
                    self.faults.add(fault)
        self.examples += len(good)
        payload = b"".join([part for _, line in good for part in (line.line, b"\n")])
        self.bytes += len(payload)
        self.digest.update(payload)

    def _converted(self, some: Sequence[Numbered]) -> list[Line | BadLine]:
        convert = self._provider.convert
        lines: list[Line | BadLine] = []
        for number, example in some:
            try:
                lines.append(convert(example))
            except DataError as error:
                lines.append(BadLine(number, error.message))
        return lines


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
