"""Counting a whole file: exactly, on several cores, or from a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    if not _in_lines(dataset):
        raise UsageError(
            f"{dataset.source.location}: only JSON lines can be sampled",
            hint=f"ftbridge convert {dataset.source.location} --to canonical -o train.jsonl",
            where="data",
        )
    with dataset.source.open() as stream:
        sizes = [0 if isinstance(line, BadLine) else len(line) for _, line in json_lines(stream)]
    return sampled(dataset, counter, sizes, n, seed)


def sampled(
    dataset: Dataset, counter: Counter, sizes: Sequence[int], n: int = SAMPLE, seed: int = 0
) -> Totals:
    """The tokens of a file from a sample, drawn by sizes that are known of all its records.

    Args:
        sizes: the bytes, or a quick vocabulary's tokens, of each record in the order of the file.

    Raises:
        DataError: where there is no good example in the sample.
    """
    strata = draw(sizes, n, seed)
    wanted = _drawn(strata)
    chosen = [(row, item) for row, item in _records(dataset, wanted) if row in wanted]
    good = [(row, item.example) for row, item in chosen if isinstance(item, Numbered)]
    if not good:
        raise _none(dataset)
    return _estimated(counter, good, sizes, strata)


def _records(dataset: Dataset, wanted: set[int]) -> Iterator[tuple[int, Numbered | BadLine]]:
    """The records of a file by their places; of lines only those that are wanted are parsed."""
    reader = dataset.reader
    if not _in_lines(dataset):
        yield from enumerate(reader.read())
        return
    with dataset.source.open() as stream:
        for row, (number, line) in enumerate(json_lines(stream)):
            if row in wanted:
                yield row, line if isinstance(line, BadLine) else reader.decode(number, line)


def _in_lines(dataset: Dataset) -> bool:
    return dataset.reader.container == "jsonl" and dataset.reader.mapping is None


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
    drawn = f"a sample of {len(rows):,} of {len(sizes):,} examples (95 %)"
    return Totals(
        counter=f"{counter.name}, {drawn}; `ftbridge tokens` counts all",
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
