"""The fine-tuning trainer of ftbridge: one run directory in, one adapter out.

It never imports `ftbridge` and needs only torch, transformers, peft and (for QLoRA) bitsandbytes,
all imported lazily, so the folder can be zipped and started on any machine:
`python -m ftbridge_trainer RUN_DIR`.
"""

__version__ = "0.1.0"
