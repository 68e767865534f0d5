"""Counting tokens: with the vendor's vocabulary where one is at hand, else an honest stand-in.

A :class:`Counter` renders the frame, then counts the texts (:mod:`frames`, :mod:`vocabulary`);
:mod:`file` counts whole files, :mod:`tally` a file that somebody reads anyway.
"""

from ftbridge.cost.tokens.counter import (
    BATCH,
    Counter,
    Framed,
    count_all,
    counter_for,
    framed_counter,
    rule_for,
)
from ftbridge.cost.tokens.counts import Counts, Totals
from ftbridge.cost.tokens.file import count_file, estimate_file
from ftbridge.cost.tokens.tally import Tally, count_kept, estimate_fast, tallying
from ftbridge.cost.tokens.vocabulary import CountTexts, TokenizerFile, Vocabulary, load

__all__ = [
    "BATCH",
    "CountTexts",
    "Counter",
    "Counts",
    "Framed",
    "Tally",
    "TokenizerFile",
    "Totals",
    "Vocabulary",
    "count_all",
    "count_file",
    "count_kept",
    "counter_for",
    "estimate_fast",
    "estimate_file",
    "framed_counter",
    "load",
    "rule_for",
    "tallying",
]
