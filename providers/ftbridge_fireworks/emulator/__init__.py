"""An emulator of Fireworks' fine-tuning surface, for sandboxes and tests without an account.

It speaks ``/v1/accounts/{account}``: datasets, supervised, DPO and reinforcement jobs, models,
deployments and LoRA add-ons, and chat completions. A state is a pure function of the clock;
nothing runs in the background. Written before the adapter and independently of it, so that one
misreading is not made twice; reinforcement was added later.

Sources, seen 2026-11-24:

- the types and routes of the SDK, ``fireworks-ai`` 1.2.30 (PyPI), its docstrings included;
- docs.fireworks.ai: fine-tuning-models and dpo-fine-tuning (data), deploying-loras (a tuned LoRA
  is served by a dedicated deployment only), guides/reliability (status codes).

Each module says what it could not verify. In general: no call was made to the vendor, so every
wording here is a likeness; check status, code and shape, never sentences. Not emulated:
evaluators (one named ``sandbox`` is there), CMEK, data in foreign buckets, quotas, events (there
are none).
"""

from .app import JOB_TIMELINE, create_app
from .store import Dataset, Emulator, Job, Store

__all__ = ["JOB_TIMELINE", "Dataset", "Emulator", "Job", "Store", "create_app"]
