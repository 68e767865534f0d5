"""An emulator of Amazon SageMaker's training jobs, for sandboxes and tests without an account.

It speaks the control plane (training jobs of both kinds, model packages, the public hub's contents,
models and endpoints), the runtime's InvokeEndpoint, what a job's logs need of CloudWatch, and one
call of STS, all at one address. Data, checkpoints and artifacts lie in S3, at whatever endpoint it
is given (``ftbridge.testing.s3`` starts moto's). Serverless jobs follow the clock. **Classic jobs
really run**: the container's command is started here, with the channels downloaded into folders,
``/opt/ml/...`` mapped to them, and the checkpoints copied to S3 while it runs and back on the next
machine, since spot capacity can be taken away. Written before the adapters and independently of
them, so that one misreading is not made twice.

Sources, seen 2026-11-25:

- botocore 1.43.117 (PyPI), service models sagemaker/2017-07-24, sagemaker-runtime/2017-05-13 and
  logs/2014-03-28, asked at run time: required members, types, enums, patterns and bounds of every
  request are the model's, and no copy of them stands here;
- docs.aws.amazon.com, SageMaker's developer guide, as each module says;
- github.com/aws/sagemaker-python-sdk, the package sagemaker-train: which channels, hub documents
  and configurations a serverless job has.

Each module says what it could not verify. In general: no call was made to the vendor, so every
wording here is a likeness; check code and status, never sentences. Two things differ on purpose:
AWS ignores unknown JSON keys, which are refused here, since they are always a client's mistake;
and one emulator is one region. Not emulated: images (a command is needed), more than one instance,
Pipe mode, warm pools beyond their rules, VPC, KMS and IAM beyond their shapes, evaluation jobs,
MLflow itself.
"""

from .app import ACCESS_KEY, JOB_TIMELINE, SECRET_KEY, create_app
from .sandbox import once_it_has_a_checkpoint, sandbox
from .store import ACCOUNT, REGION, Emulator, Store, TrainingJob

__all__ = [
    "ACCESS_KEY",
    "ACCOUNT",
    "JOB_TIMELINE",
    "REGION",
    "SECRET_KEY",
    "Emulator",
    "Store",
    "TrainingJob",
    "create_app",
    "once_it_has_a_checkpoint",
    "sandbox",
]
