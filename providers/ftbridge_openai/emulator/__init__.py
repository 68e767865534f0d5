"""An emulator of OpenAI's fine-tuning surface, for sandboxes and tests without an account.

It speaks the wire under ``/v1``: files, fine-tuning jobs with events and checkpoints, models,
chat completions (plain and streamed), and the alpha graders. A job's state is a pure function
of the clock; nothing runs in the background. Written before the adapter and independently of
it, so that one misreading is not made twice.

Sources, seen 2026-11-24:

- the types of the SDK, ``openai`` 3.57.0 (PyPI);
- OpenAI's OpenAPI document, github.com/openai/openai-openapi, commit f85dbe2 (2026-08-21);
- answers of the vendor as recorded in public repositories and in the OpenAI cookbook (order
  and wording of events, metrics, failure messages, base64 of the results file).

Each module says what it could not verify. In general: no call was made to the vendor, so every
wording and error code here is a likeness; check status, shape and ``param``, never sentences.
Not emulated: moderation of training data, quotas and rate limits, checkpoint permissions,
webhooks, the responses endpoint, ``/v1/completions``, and the dates on which the vendor closes
models and the whole service.
"""

from .app import JOB_TIMELINE, create_app
from .store import Emulator, Failure, Job, Recorded, Store, StoredFile

__all__ = [
    "JOB_TIMELINE",
    "Emulator",
    "Failure",
    "Job",
    "Recorded",
    "Store",
    "StoredFile",
    "create_app",
]
