"""Which data may go where, decided in one place that no provider can go round.

A provider receives bytes only as a :class:`CheckedUpload` or :class:`CheckedStage`. Both can be
made by this package alone, for one file hash, provider, account and region, after the policy
said yes. What the policy is: ``docs/policy.md``.
"""

from ftbridge.policy.checked import CheckedStage, CheckedUpload, check_stage, check_upload
from ftbridge.policy.decision import Decision, Destination, Policy, decide
from ftbridge.policy.labels import Label, Privacy, label_of, strictest
from ftbridge.policy.layers import Layer

__all__ = [
    "CheckedStage",
    "CheckedUpload",
    "Decision",
    "Destination",
    "Label",
    "Layer",
    "Policy",
    "Privacy",
    "check_stage",
    "check_upload",
    "decide",
    "label_of",
    "strictest",
]
