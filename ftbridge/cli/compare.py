"""``ftbridge compare DATA``."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from ftbridge import arguments
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.compare import Comparison, Offer
from ftbridge.cost import horizon, page, table
from ftbridge.cost.against import Against
from ftbridge.cost.roi import explain
from ftbridge.cost.types import Span
from ftbridge.files import atomic_write


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--family", help="Only this open model, wherever it is tuned.")
@click.option("--method", default="sft", show_default=True, help="sft, dpo or rl.")
@click.option("--adapter", help="lora, qlora or full, where the provider lets choose.")
@click.option("--grader", metavar="FILE", help="What scores answers (method rl): JSON or TOML.")
@click.option("--n-epochs", type=int, help="Passes over the data.")
@click.option("--privacy", help="A label for the data; one beside the file may be stricter.")
@click.option("--region", help="Only what runs in this region.")
@click.option("--budget", metavar="USD", help="Only what surely costs no more.")
@click.option("--months", type=int, help="Add the tuned model's use over so many months (12).")
@click.option("--calls-per-month", type=int, help="How often it is called.")
@click.option("--input-tokens", type=float, help="Of a call; measured from DATA if left out.")
@click.option("--output-tokens", type=float, help="Of an answer; measured from DATA if left out.")
@click.option("--against", metavar="PROVIDER:MODEL", help="The base model that it would replace.")
@click.option(
    "--base-prompt",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What the base model must be told with every call, and the tuned one need not.",
)
@click.option("--evaluation", metavar="JOB", help="Show the accuracy of its latest evaluation.")
@click.option("--sort", metavar="COLUMN", help="By another column; -COLUMN for downwards.")
@click.option("--csv", "csv_", type=click.Path(path_type=Path), help="Also write a CSV file.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write a page with a chart.")
@click.option("--calibrate", is_flag=True, help="Measure this machine's speed first (a minute).")
@common
def command(
    session: Session, data: Path, calibrate: bool, csv_: Path | None, html: Path | None,
    months: int | None, calls_per_month: int | None, input_tokens: float | None,
    output_tokens: float | None, against: str | None, base_prompt: Path | None,
    evaluation: str | None, **wanted: Any,
) -> None:  # fmt: skip
    """What training on DATA would cost, at every place that can do it. Sends nothing.

    With --months or --calls-per-month also what the tuned model would cost in use; with --against
    when it pays.
    """
    use = horizon.wanted(
        months, calls_per_month, input_tokens, output_tokens, needed=against is not None
    )
    held = _against(session, against, base_prompt, evaluation)
    if calibrate:
        session.note("measuring this machine ...")
        session.bridge.calibrate()
    found = session.bridge.compare(data, use=use, against=held, **wanted)
    for path, text in ((csv_, table.to_csv(found.offers)), (html, page.page(found, data.name))):
        if path is not None:
            with atomic_write(path.absolute()) as stream:
                stream.write(text.encode())
    session.document(_document(found))
    _show(session, found)


def _against(
    session: Session, reference: str | None, prompt: Path | None, evaluation: str | None
) -> Against | None:
    if reference is None:
        for name, value in (("--base-prompt", prompt), ("--evaluation", evaluation)):
            if value is not None:
                raise click.UsageError(f"{name} says something of the base model: add --against")
        return None
    result = session.bridge.accuracy(evaluation) if evaluation else None
    return Against(reference, arguments.text(prompt, "base_prompt") or "", result)


def _document(found: Comparison) -> dict[str, Any]:
    content: dict[str, Any] = {
        "offers": [_offer(offer) for offer in found.offers],
        "excluded": [vars(item) for item in found.excluded],
    }
    if found.baseline:
        base = found.baseline
        content["baseline"] = vars(base) | {"price": vars(base.price), "monthly": base.monthly}
    return content


def _offer(offer: Offer) -> dict[str, Any]:
    tokens, roi = offer.tokens, offer.roi
    return vars(offer) | {
        "usd": offer.usd.model_dump(),
        "tokens": tokens.document(),
        "upfront": _span(offer.usd.upfront),
        "monthly": _span(offer.monthly),
        "stale": offer.usd.stale,
        "use": vars(offer.use) if offer.use else None,
        "roi": {name: _plain(value) for name, value in vars(roi).items()} if roi else None,
    }


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, Span) else value


def _span(span: Span | None) -> dict[str, Decimal] | None:
    return span.model_dump() if span else None


def _show(session: Session, found: Comparison) -> None:
    used = any(offer.use for offer in found.offers)
    columns = ["provider", "model", "adapter", "USD", "tokens", "tokens counted with"]
    if used:
        columns[3:4] = ["training USD", "USD a month", "USD in all"]
    if found.baseline:
        columns += ["saves a month", "break-even"]
    session.table(
        columns, [_row(offer, used, found.baseline is not None) for offer in found.offers]
    )
    if found.baseline and found.offers and found.offers[0].use:
        session.lines(*explain(found.baseline, found.offers[0].use))
    epochs = {offer.tokens.n_epochs for offer in found.offers}
    if len(epochs) > 1:
        session.lines(
            f"offers assume {min(epochs)} to {max(epochs)} epochs: --n-epochs makes them equal"
        )
    notes = [(o.provider, note) for o in found.offers for note in (*o.basis[1:], *o.notes)]
    for provider, note in dict.fromkeys(notes):
        session.lines(f"{provider}: {note}")
    for item in found.excluded:
        session.lines(f"not {item.provider}: {item.reason}")


def _row(offer: Offer, used: bool, held: bool) -> list[str]:
    whole = _money(offer.usd.low, offer.usd.high)
    cells = [offer.provider, offer.model, offer.adapter]
    if used:
        unknown = f" + {', '.join(offer.usd.unknown)}" if offer.usd.unknown else ""
        cells += [_spent(offer.usd.upfront), _spent(offer.monthly), whole + unknown]
    else:
        cells.append(whole)
    cells += [
        f"{offer.tokens.billed_high:,}",
        f"{offer.tokens.counter}, {offer.tokens.label}",
    ]
    if held:
        roi = offer.roi
        days = roi.break_even_days if roi else None
        cells += [
            _spent(roi.saving_monthly if roi else None),
            f"day {table.day(days.high)}" if days else (roi.why if roi else "-"),
        ]
    return cells


def _money(low: Decimal | None, high: Decimal | None) -> str:
    first, last = table.amount(low), table.amount(high)
    return last if first == last else f"{first} to {last}"


def _spent(span: Span | None) -> str:
    return _money(span.low, span.high) if span else "unknown"
