"""The ledger: what was asked, sent, answered and paid, on disk before and after each step."""

from __future__ import annotations

from pathlib import Path

from ftbridge.jobs.ledger.aliases import Aliases
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.deployments import Deployments
from ftbridge.jobs.ledger.egress import Egress
from ftbridge.jobs.ledger.evaluations import Evaluations
from ftbridge.jobs.ledger.history import History
from ftbridge.jobs.ledger.job_row import JobRow
from ftbridge.jobs.ledger.jobs import Jobs
from ftbridge.jobs.ledger.quotes import Quotes
from ftbridge.jobs.ledger.steps import Steps
from ftbridge.jobs.ledger.uploads import Uploads

__all__ = ["JobRow", "Ledger"]


class Ledger:
    """One home's ledger. Safe to use from several threads and processes.

    Raises:
        LedgerError: on opening, where the file is corrupt, locked or not writable; it is left
            as it is.
    """

    def __init__(self, home: Path) -> None:
        self.database = Database(home / "ledger.db")
        self.jobs = Jobs(self.database)
        self.steps = Steps(self.database)
        self.history = History(self.database)
        self.uploads = Uploads(self.database)
        self.egress = Egress(self.database)
        self.evaluations = Evaluations(self.database)
        self.deployments = Deployments(self.database)
        self.quotes = Quotes(self.database)
        self.aliases = Aliases(self.database)

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()
