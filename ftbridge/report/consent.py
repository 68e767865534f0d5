"""Whether rows of the data may stand in a report: the label decides."""

from __future__ import annotations

from ftbridge.policy.labels import Privacy

NEVER = (Privacy.CONFIDENTIAL, Privacy.RESTRICTED)


def refusal(label: Privacy, asked: bool | None) -> str | None:
    """Why rows of this label are not shown; None where they are.

    A report goes from hand to hand. Public rows are shown unless that was declined (``asked`` is
    False), internal ones where it was asked for (True), all others never.
    """
    if label in NEVER:
        return f"No row is shown: their label is {label}."
    if asked is False:
        return "No row is shown: that was asked for."
    if label is Privacy.INTERNAL and not asked:
        return "No row is shown: their label is internal. `ftbridge report --examples` shows some."
    return None
