"""``ftbridge plan DATA --provider P``."""

from __future__ import annotations

from typing import Any

import click

from ftbridge.cli.session import Session, money
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import make, wishes
from ftbridge.jobs.plan import Plan


@click.command()
@wishes
@click.option("--quote", is_flag=True, help="Ask the vendor for its own price, if it gives one.")
@common
def command(session: Session, quote: bool, **wanted: Any) -> int:
    """Show what submit would do with DATA: request, tokens, USD, losses, warnings."""
    plan = make(session, wanted)
    if quote:
        plan = session.bridge.quote(plan)
    session.document(document(plan))
    show(session, plan)
    return plan.refusal.exit_code if plan.refusal else 0


def document(plan: Plan) -> dict[str, Any]:
    """The JSON form of a plan; with ``error`` where it may not be submitted."""
    content = {
        "provider": plan.spec.provider,
        "model": plan.spec.model,
        "method": str(plan.spec.method),
        "adapter": str(plan.spec.adapter),
        "payload": plan.payload,
        "settings": {name: item.model_dump() for name, item in plan.settings.items()},
        "tokens": plan.tokens.document(),
        "usd": plan.usd.model_dump(),
        "losses": [loss.model_dump() for loss in plan.losses],
        "warnings": list(plan.warnings),
        "allowed": plan.allowed,
        "key": plan.key,
        "training": plan.training.model_dump(),
        "validation": plan.validation.model_dump() if plan.validation else None,
        "endpoint": plan.endpoint,
        "region": plan.region,
        "privacy": str(plan.spec.privacy),
        "label": plan.label,
        "rule": plan.rule,
        "retention": plan.retention,
    }
    if plan.refusal:
        content["error"] = plan.refusal.model_dump(exclude={"exit_code"})
    return content


def show(session: Session, plan: Plan) -> None:
    """A plan for people."""
    tokens = plan.tokens
    span = f"{tokens.low:,}" if tokens.low == tokens.high else f"{tokens.low:,}-{tokens.high:,}"
    session.table(
        ("", ""),
        [
            ("provider", f"{plan.spec.provider} ({plan.endpoint})"),
            ("model", f"{plan.spec.model}, {plan.spec.method}, {plan.spec.adapter}"),
            ("data", f"{plan.training.examples:,} examples, {plan.training.bytes:,} bytes"),
            ("tokens", f"{span} x {tokens.n_epochs} epochs ({tokens.label}: {tokens.counter})"),
            ("USD", money(plan.usd.low, plan.usd.high)),
            *[("", f"{line.name}: {line.formula}; {_origin(line)}") for line in plan.usd.lines],
            *[
                (name, f"{'-' if item.value is None else item.value} ({item.origin})")
                for name, item in plan.settings.items()
            ],
            *[("loss", f"{loss.code}: {loss.count}, lines {loss.lines}") for loss in plan.losses],
            *[("warning", text) for text in plan.warnings],
            ("key", plan.key),
        ],
    )
    if plan.refusal:
        session.lines(f"refused: {plan.refusal.message}", f"hint: {plan.refusal.hint}")


def _origin(line: Any) -> str:
    day = "" if line.source_date is None else str(line.source_date)
    return ", ".join(filter(None, (line.source, day, line.age)))
