"""An emulator of Vertex AI's model tuning and of the Cloud Storage that it reads from.

One application on one address. Tuning speaks ``/v1`` and ``/v1beta1`` under
``projects/P/locations/L``: tuning jobs (supervised, preference, distillation, reinforcement; Gemini
and open models), tuned models, endpoints, operations, and ``generateContent``. Storage speaks the
JSON API under ``/storage/v1``, ``/upload`` and ``/download``; ``/token`` gives access tokens. A
state is a pure function of the clock; nothing runs in the background. Written before the adapter
and independently of it, so that one misreading is not made twice.

Sources, seen 2026-11-25:

- types and converters of ``google-genai`` 2.34.0 and the protobuf messages of
  ``google-cloud-aiplatform`` 2.7.0 (endpoints, models, operations), both from PyPI;
- requests that both clients sent to a recording server;
- docs.cloud.google.com: open-model-tuning (models, regions), reinforcement-tuning-job (data set,
  hyperparameters), gemini-preference-tuning-prepare, gemini-supervised-tuning-prepare;
- for storage: requests of ``google-cloud-storage`` 3.17.1. No packaged emulator is used:
  ``gcp-storage-emulator`` 2026.7.19 ignores ``ifGenerationMatch`` and ``maxResults``, drops
  custom metadata, and answers errors without Google's body (tried 2026-11-25).

Each module says what it could not verify. No call was made to the vendor, so wordings are
likenesses; check status, code and shape, never sentences. Not emulated: multimodal datasets,
evaluation runs, Veo, experiments and pipelines (only their names are shown), IAM, gRPC.
"""

from .app import JOB_TIMELINE, create_app
from .store import BUCKET, LOCATION, NUMBER, PROJECT, TOKEN, Emulator, Job, Store

__all__ = [
    "BUCKET",
    "JOB_TIMELINE",
    "LOCATION",
    "NUMBER",
    "PROJECT",
    "TOKEN",
    "Emulator",
    "Job",
    "Store",
    "create_app",
]
