"""An emulator of Together's fine-tuning surface, for sandboxes and tests without an account.

It speaks the wire under ``/v1``: files (redirected upload, asynchronous validation), price
estimates, model limits, fine-tunes with events, checkpoints, metrics, two-step cancel and the
download of weights, and chat completions. A job's state is a pure function of the clock.
Written before the adapter and independently of it.

Source, seen 2026-11-24: types and ``lib/resources`` of the SDK, ``together`` 3.1.1 (PyPI).
No call was made to the vendor, so wordings, error codes, numbers of limits and prices, and the
times are likenesses. Not emulated: uploads in parts (above 5 GB), preview, the tokenized data
set, early stopping, Hugging Face and W&B hand-over, streamed chat, endpoints, RL sessions.
"""

from .app import JOB_TIMELINE, create_app
from .store import Emulator, Failure, Job, Store, StoredFile

__all__ = [
    "JOB_TIMELINE",
    "Emulator",
    "Failure",
    "Job",
    "Store",
    "StoredFile",
    "create_app",
]
