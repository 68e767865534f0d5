"""An emulator of Amazon Bedrock's customization surface, for sandboxes and tests.

It speaks the control plane (customization jobs, custom and foundation models, deployments,
provisioned throughput, model import, tags), the runtime (Converse, InvokeModel) and one call of
STS, all at one address. Training data is read from S3, and metrics are written there: at whatever
S3 endpoint it is given (``ftbridge.testing.s3`` starts moto's). A state is a pure function of the
clock; nothing runs in the background. Written before the adapter and independently of it, so that
one misreading is not made twice.

Sources, seen 2026-11-25:

- botocore 1.43.117 (PyPI), service models bedrock/2023-04-20 and bedrock-runtime/2023-09-30. They
  are asked at run time: routes, statuses, required members, types, enums, patterns and bounds of
  every request are the model's, and no copy of them stands here (``shapes.py``);
- docs.aws.amazon.com/bedrock userguide: custom-models-hp and cm-hp-nova-mm (ranges),
  model-customization-analyze (the metrics files), model-customization-import-model (files);
- github.com/aws/sagemaker-python-sdk pull request 6076: a job name that is taken is answered with
  ValidationException, "The provided job name is currently in use".

Each module says what it could not verify. In general: no call was made to the vendor, so every
wording here is a likeness; check code and status, never sentences. Two things differ on purpose:
AWS ignores unknown JSON keys, which are refused here, since they are always a client's mistake;
and one emulator is one region, in which every base of the table is to be had. Not emulated:
signatures (a header must be there, and name a known key), IAM, KMS and VPC beyond their shapes,
data from invocation logs, guardrails, streaming.
"""

from .app import ACCESS_KEY, BEARER, JOB_TIMELINE, SECRET_KEY, create_app
from .sandbox import sandbox
from .store import ACCOUNT, REGION, Emulator, Job, Store

__all__ = [
    "ACCESS_KEY",
    "ACCOUNT",
    "BEARER",
    "JOB_TIMELINE",
    "REGION",
    "SECRET_KEY",
    "Emulator",
    "Job",
    "Store",
    "create_app",
    "sandbox",
]
