"""An emulator of Mistral's fine-tuning surface, for sandboxes and tests without an account.

Files, the five job routes (with the dry run), tuned models (retrieve, update, archive, delete),
chat and classifications. A state is a pure function of the clock. Written before the adapter.

Sources, seen 2026-11-24: ``mistralai`` 3.7.0 (files, models, chat) and 2.4.13, the last with the
job routes; openapi.yaml of mistralai/platform-docs-public (2026-07-15).
No call was made to the vendor. Unverified: sentences, non-422 error bodies, how long states last,
that a job without ``auto_start`` waits in VALIDATED, which states can be cancelled or started, and
when bad data is told (here: FAILED_VALIDATION). Not emulated: batch, streaming, repositories'
content, W&B runs.
"""

from .app import JOB_TIMELINE, create_app
from .store import Job, Store, StoredFile

__all__ = ["JOB_TIMELINE", "Job", "Store", "StoredFile", "create_app"]
