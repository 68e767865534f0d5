"""Which rented machine a training runs on: the one that was named, else the cheapest that holds it.

Memory and hours are modelled as in :mod:`ftbridge.cost.throughput`; the machines are the rows of a
provider's price list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ftbridge.cost.prices import PriceRow
from ftbridge.cost.throughput import LENGTH, Size, count_of, fits, hours
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.recipes import recipe_options

BYTES_A_TOKEN = 4
"""A rough measure for choosing between machines alone; the estimate counts the tokens."""
OTHER_USE = frozenset({"Studio-JupyterLab"})
"""Tiers of a price list that are for something else than training."""


@dataclass(frozen=True)
class Machine:
    """A machine as its platform's API names it, and how many GPUs it has."""

    name: str
    gpus: int
    row: PriceRow | None = None


def choose(
    spec: JobSpec, rows: Sequence[PriceRow], *, wanted: str | None, region: str | None
) -> Machine:
    """The machine for a job.

    Args:
        rows: the provider's shipped prices, so that the choice follows from the spec alone.
        wanted: the machine that the person named, which need not be listed.
        region: where it runs; rows for other regions are passed over.

    Raises:
        UsageError: where none is surely large enough, or the model's size is not known.
    """
    listed = [row for row in rows if row.item == "gpu_hour" and _rented_in(row, region)]
    if wanted is not None:
        row = next((row for row in listed if row.model == wanted), None)
        return Machine(wanted, count_of(row) if row else 1, row)
    size = Size.of(spec.model)
    if size is None:
        raise UsageError(
            f"how large {spec.model} is cannot be told from its name",
            hint="name the machine: --option machine=NAME",
            where="machine",
        )
    adapter = str(spec.adapter)
    length = int(recipe_options(spec).get("max_length", LENGTH))
    usual = [row for row in listed if row.tier not in OTHER_USE]
    large = [row for row in usual if fits(size, adapter, row, length)]
    if not large:
        raise UsageError(
            f"no machine in the price list of {spec.provider} surely holds {adapter} of "
            f"{size.total}B parameters at {length:,} tokens (each GPU holds the whole model)",
            hint="name one: --option machine=NAME; or choose a smaller model, qlora, or shorter "
            "examples: --option max_length=N",
            where="machine",
        )
    tokens = _roughly(spec)

    def price(row: PriceRow) -> Decimal:
        return (hours(size, adapter, tokens, row).high or Decimal(0)) * row.per_amount

    row = min(large, key=price)
    return Machine(row.model, count_of(row), row)


def rental(spec: JobSpec, machine: Machine, tokens: TokenCount) -> Quantity:
    """The hours that a job rents its machine for; not known where its speed or the model's size
    is not."""
    size, row = Size.of(spec.model), machine.row
    try:
        if size is None or row is None:
            raise ValueError("not known")
        line = hours(size, str(spec.adapter), tokens, row)
    except ValueError:
        return Quantity(
            name="training", item="gpu_hour", low=None, high=None, priced_as=machine.name,
            formula=f"hours of {machine.name}: its speed or the size of {spec.model} is not known",
        )  # fmt: skip
    return line.model_copy(update={"tier": row.tier, "region": row.region})


def _roughly(spec: JobSpec) -> TokenCount:
    tokens = max(1, spec.training.bytes // BYTES_A_TOKEN)
    epochs = spec.hyperparameters.n_epochs or 1
    return TokenCount(low=tokens, high=tokens, n_epochs=epochs, grade="estimated", counter="bytes")


def _rented_in(row: PriceRow, region: str | None) -> bool:
    return not row.places or region is None or region in row.places
