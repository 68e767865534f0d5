"""What ``ftbridge eval`` shows people."""

from __future__ import annotations

from decimal import Decimal

from ftbridge.cli.session import Session
from ftbridge.evaluate.forgetting import Forgetting
from ftbridge.evaluate.result import Asked, Comparison, Labels, Result, Share


def show(session: Session, result: Result) -> None:
    """The whole result as tables and one sentence."""
    for each in result.comparisons:
        _compared(session, result, each)
    _labels(session, result.labels)
    _forgotten(session, result.forgetting)
    _asked(session, result)
    if result.held_out.reason:
        session.note(f"rows compared with the training data by {result.held_out.checked} only: "
                     f"{result.held_out.reason}")  # fmt: skip
    _drifted(session, result)
    main = result.main
    session.lines(
        f"{result.verdict} on {result.n} rows; so many rows show a difference of "
        f"{_amount(main, main.minimum_detectable)} 8 times in 10"
    )


def _compared(session: Session, result: Result, each: Comparison) -> None:
    name = each.metric if each.unit == "share" else f"{each.metric} ({each.unit})"
    session.table(
        ("", "model", name, "95 % interval", "test"),
        [
            ("baseline", result.baseline.model, *_share(each, each.baseline), ""),
            ("tuned", result.tuned.model, *_share(each, each.tuned), ""),
            ("difference", "", _amount(each, each.difference, "+"),
             _span(each, each.difference_ci), f"p = {each.p:.2g} ({each.test})"),
        ],
    )  # fmt: skip
    if each.metric == "judge" and each.detail:
        _judged(session, each)


def _judged(session: Session, each: Comparison) -> None:
    told = each.detail or {}
    bias = told["position_bias"]
    won = bias["first_place_won"]
    first = "nothing was decided"
    if won is not None:
        first = f"the first place won {won:.0%} ({_span(each, bias['ci'])}) of decided verdicts"
    session.lines(
        f"{told['model']} judged each pair in both orders: tuned won {told['wins']}, lost "
        f"{told['losses']}, tied {told['ties']} ({told['identical']} had equal answers); {first}, "
        f"the order changed the winner of {bias['order_changed_winner']}; "
        f"{told['unreadable']} of {told['verdicts']} verdicts could not be read"
    )


def _forgotten(session: Session, found: Forgetting | None) -> None:
    if found is None:
        return
    each = found.comparison
    low, high = each.difference_ci
    session.table(
        ("general ability", "questions", "baseline", "tuned"),
        [(c.category, c.n, f"{c.baseline:.0%}", f"{c.tuned:.0%}") for c in found.categories],
    )
    session.lines(
        f"general ability ({found.probe}, {found.n} questions): {each.baseline.value:.1%} before, "
        f"{each.tuned.value:.1%} after; loss {-each.difference:.1%} ({-high:.1%} to {-low:.1%}), "
        f"p = {each.p:.2g}: {found.verdict}; so many show {each.minimum_detectable:.1%} 8 times "
        "in 10"
    )


def _drifted(session: Session, result: Result) -> None:
    found, main = result.drift, result.main
    if found is None:
        return
    session.table(
        ("against " + found.evaluation, "before", "now", "change", "95 % interval", "test", ""),
        [
            (who, _amount(main, each.before), _amount(main, each.now),
             _amount(main, each.now - each.before, "+"), _span(main, each.ci),
             f"p = {each.p:.2g} ({each.test})", each.verdict)
            for who, each in (("baseline", found.baseline), ("tuned", found.tuned))
        ],
    )  # fmt: skip
    least = _amount(main, found.tuned.minimum_detectable)
    session.lines(
        f"drift: {found.verdict} ({found.n_before} rows then, {result.n} now; so many show a "
        f"change of {least} 8 times in 10): {found.advice}"
    )


def _asked(session: Session, result: Result) -> None:
    people = [("baseline", result.baseline), ("tuned", result.tuned), ("judge", result.judge)]
    session.table(
        ("asked", "model", "calls", "from cache", "median s", "95 % under s", "USD a call",
         "USD of all", "USD paid now", "price"),
        [(role, *_took(asked)) for role, asked in people if asked],
    )  # fmt: skip


def _took(asked: Asked) -> tuple[str | int, ...]:
    each = asked.usd / asked.calls if asked.usd is not None and asked.calls else asked.usd
    times = (f"{asked.seconds:.2f}", f"{asked.seconds_p95:.2f}")
    money = (_usd(each), _usd(asked.usd), _usd(asked.usd_paid))
    return asked.model, asked.calls, asked.cached, *times, *money, asked.price


def _usd(usd: Decimal | None) -> str:
    return "unknown" if usd is None else f"{usd:.6f}"


def _labels(session: Session, labels: Labels | None) -> None:
    if labels is None:
        return
    session.table(
        ("label", "rows", "baseline", "tuned"),
        [(row.label, row.n, f"{row.baseline:.0%}", f"{row.tuned:.0%}") for row in labels.classes],
    )
    session.table(
        ("label", "tuned model said", "rows"),
        [(wanted, said or "(no label)", count) for wanted, said, count in labels.confusion],
    )


def _share(each: Comparison, share: Share) -> tuple[str, str]:
    return _amount(each, share.value), _span(each, share.ci)


def _span(each: Comparison, ci: tuple[float, float]) -> str:
    return f"{_amount(each, ci[0])} to {_amount(each, ci[1])}"


def _amount(each: Comparison, value: float, sign: str = "") -> str:
    return f"{value:{sign}.1%}" if each.unit == "share" else f"{value:{sign}.3f}"
