"""Held-out discipline: a score on rows that were trained on measures memory, not skill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftbridge.dataset import Dataset
from ftbridge.dataset.quality.finding import Finding
from ftbridge.errors import DataError, FtbridgeError
from ftbridge.evaluate.rows import Row
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.spec import JobSpec


@dataclass(frozen=True)
class HeldOut:
    """How it was made sure that the rows are new to the model.

    ``checked`` is ``prompts and near-duplicates``, ``prompts`` (the training file is gone or
    has changed), ``nothing`` (no job is known behind the model), or ``waived``.
    """

    checked: str
    reason: str = ""


def require_unseen(
    dataset: Dataset, rows: Sequence[Row], job: JobRow | None, ledger: Ledger
) -> HeldOut:
    """Refuse rows that a job was trained on, or near-duplicates of such rows.

    The prompts are compared with the hashes in the ledger; near-duplicates are looked for in the
    training file, where it still is what was trained on.

    Raises:
        DataError: naming how many rows, and the first lines.
    """
    if job is None:
        return HeldOut("nothing", "which rows the model was trained on is not known")
    seen = ledger.history.trained_on(job.id, [row.fingerprint for row in rows])
    if seen:
        raise _refusal(dataset, f"{seen} of its prompts were trained on in {job.id}")
    training = training_file(job)
    if isinstance(training, str):
        return HeldOut("prompts", training)
    near = _near(training, dataset, rows[-1].line)
    if near is not None:
        raise _refusal(
            dataset,
            f"{near.count} of its rows nearly repeat rows that {job.id} was trained on (first on "
            f"lines {', '.join(map(str, near.lines))})",
        )
    return HeldOut("prompts and near-duplicates")


def _refusal(dataset: Dataset, what: str) -> DataError:
    return DataError(
        f"{dataset.path}: {what}; a score on them says nothing",
        hint="use rows that were held out, or --allow-trained-rows",
        where=str(dataset.path),
        code="trained_rows",
    )


def training_file(job: JobRow) -> Dataset | str:
    """The file that the job was trained on, or why it cannot be read again."""
    known = JobSpec.model_validate_json(job.spec).training
    try:
        training = Dataset(known.path)
        if training.sha256 == known.sha256:
            return training
    except FtbridgeError:
        return f"the training file {known.path} cannot be read any more"
    return f"the training file {known.path} has changed since"


def _near(training: Dataset, held: Dataset, last: int) -> Finding | None:
    """What of the held-out file, up to the line ``last``, nearly repeats a training row."""
    # numpy and the sketches are loaded only here.
    from ftbridge.dataset.quality.batch import batches
    from ftbridge.dataset.quality.duplicates import leaks
    from ftbridge.dataset.quality.similar import Index

    index = Index()
    for batch in batches(training.examples()):
        index.add(batch)
    size = len(index)
    for batch in batches(item for item in held.examples() if item.line <= last):
        index.add(batch)
    found = leaks(index, index.near(), size)
    return next((each for each in found if each.code == "leak_near_duplicate"), None)
