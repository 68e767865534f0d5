"""Counting a whole file: exactly, on several cores, or from a sample."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from ftbridge.cost.tokens.counter import Counter, count_all
from ftbridge.cost.tokens.counts import Totals
from ftbridge.cost.tokens.sample import SAMPLE, Stratum, draw, estimate
from ftbridge.dataset import BadLine, Dataset
from ftbridge.dataset.parallel import in_parts, run
from ftbridge.dataset.read import Numbered, Reader
from ftbridge.dataset.records import json_lines
from ftbridge.dataset.types import Example
from ftbridge.errors import DataError, UsageError


def count_file(dataset: Dataset, counter: Counter, workers: int = 1) -> Totals:
    """The tokens of every good example of a file.

    Args:
        workers: processes; more than one only for plain local JSONL.

    Raises:
        DataError: where the file is missing or unreadable, or there is no good example.
    """
    parts = in_parts(dataset.reader, workers)
    jobs = [(part, counter) for part in parts]
    if len(jobs) == 1:
        totals = count_part(jobs[0])
    else:
        totals = Totals(counter.name, counter.grade)
        for part in run(lambda: count_part(jobs[0]), count_part, jobs[1:]):
            totals.merge(part)
    if not totals.examples:
        raise _none(dataset)
    return totals


def count_part(job: tuple[Reader, Counter]) -> Totals:
    """The tokens of the good examples of one part of a file."""
    reader, counter = job
    return count_all(
        counter, (item.example for item in reader.read() if isinstance(item, Numbered))
    )


def estimate_file(dataset: Dataset, counter: Counter, n: int = SAMPLE, seed: int = 0) -> Totals:
    """The tokens of a file from a sample of its lines, without parsing the others.

    The size that is known of every line is its bytes. A bad line that is drawn counts 0, so that
    the total is that of the good ones.

    Raises:
        UsageError: where the file is not JSONL, whose records must be parsed to be found.
        DataError: where it is missing or unreadable, or there is no good example in the sample.
    """
    reader = dataset.reader
    if reader.container != "jsonl" or reader.mapping is not None:
        raise UsageError(
            f"{dataset.source.location}: only JSON lines can be sampled",
            hint=f"ftbridge convert {dataset.source.location} --to canonical -o train.jsonl",
            where="data",
        )
    with dataset.source.open() as stream:
        sizes = [0 if isinstance(line, BadLine) else len(line) for _, line in json_lines(stream)]
    strata = draw(sizes, n, seed)
    wanted = _drawn(strata)
    with dataset.source.open() as stream:
        found = [
            (row, reader.decode(number, line))
            for row, (number, line) in enumerate(json_lines(stream))
            if row in wanted and not isinstance(line, BadLine)
        ]
    good = [(row, item.example) for row, item in found if isinstance(item, Numbered)]
    if not good:
        raise _none(dataset)
    return _estimated(counter, good, sizes, strata)


def two_phases(
    dataset: Dataset, counter: Counter, sizes: Sequence[int], n: int = SAMPLE, seed: int = 0
) -> Totals:
    """The tokens of a slow vocabulary from those of a quick one.

    Args:
        sizes: the quick vocabulary's tokens of each example, in the order of the file.
    """
    strata = draw(sizes, n, seed)
    wanted = _drawn(strata)
    chosen = [(row, item.example) for row, item in enumerate(dataset.examples()) if row in wanted]
    return _estimated(counter, chosen, sizes, strata)


def _drawn(strata: Sequence[Stratum]) -> set[int]:
    return {row for stratum in strata for row in stratum.drawn}


def _estimated(
    counter: Counter,
    chosen: Sequence[tuple[int, Example]],
    sizes: Sequence[int],
    strata: Sequence[Stratum],
) -> Totals:
    """The counter's tokens of the chosen rows, as a total of all rows with its interval."""
    rows = [row for row, _ in chosen]
    counts = counter.count([example for _, example in chosen])
    spans = {
        name: estimate(strata, sizes, dict(zip(rows, tokens, strict=True)))
        for name, tokens in (("at", counts.expected), ("low", counts.low), ("high", counts.high))
    }
    return Totals(
        counter=f"{counter.name}, a sample of {len(rows):,} of {len(sizes):,} examples (95 %)",
        grade="estimated",
        examples=len(sizes),
        expected=round(spans["at"].total),
        low=max(0, floor(spans["low"].low)),
        high=ceil(spans["high"].high),
        longest=max(counts.low),
        frame=None,
        tools=None,
    )


def _none(dataset: Dataset) -> DataError:
    where = f"{dataset.source.location}:1"
    return DataError(
        f"{where}: no example; write one JSON object a line",
        where=where,
        hint=f"ftbridge check {dataset.source.location}",
    )
