"""The wire that OpenAI's fine-tuning API and its relatives speak, to build emulators from.

It holds files, fine-tuning jobs with events and checkpoints, models, chat completions (plain and
streamed), and the alpha graders. A job's state is a pure function of the clock; nothing runs in
the background. An emulator brings its own routes, credentials and differences.

Sources, seen 2026-11-24:

- the types of the SDK, ``openai`` 3.57.0 (PyPI);
- OpenAI's OpenAPI document, github.com/openai/openai-openapi, commit f85dbe2 (2026-08-21);
- answers of the vendor as recorded in public repositories and in the OpenAI cookbook (order
  and wording of events, metrics, failure messages, base64 of the results file).

Each module says what it could not verify. In general: no call was made to a vendor, so every
wording and error code here is a likeness; check status, shape and ``param``, never sentences.
Not emulated: moderation of training data, quotas and rate limits, checkpoint permissions,
webhooks, the responses endpoint, ``/v1/completions``, and closing dates.
"""

from .app import ROUTES, Authorise, Handler, build
from .errors import ApiError
from .store import Emulator, Failure, Job, Store, StoredFile

__all__ = [
    "ROUTES",
    "ApiError",
    "Authorise",
    "Emulator",
    "Failure",
    "Handler",
    "Job",
    "Store",
    "StoredFile",
    "build",
]
