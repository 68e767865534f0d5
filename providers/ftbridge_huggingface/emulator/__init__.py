"""The part of Hugging Face's Hub that ftbridge uses: Jobs, buckets, hardware. Written from the
types of ``huggingface_hub`` 2.4.0 (read 2026-11-25), before the adapter.

    app = create_app()                  # an ASGI application; needs starlette
    app.state.store                     # what this Hub knows, for tests to read and to change

A job really runs its command on a machine that is a process here, on a tiny model; a bucket is a
folder that the machine works in. A bucket's content travels as it does to the vendor, through
``hf_xet``, into a content store that is a folder too (its ``local://`` endpoint).
"""

from .app import create_app
from .hardware import HARDWARE
from .settings import NAMESPACE, TOKEN
from .store import Bucket, Job, Store, models_folder

__all__ = [
    "HARDWARE",
    "NAMESPACE",
    "TOKEN",
    "Bucket",
    "Job",
    "Store",
    "create_app",
    "models_folder",
]
