"""Turn a GGUF file into a bf16 safetensors directory: `python -m ftbridge_local.convert_gguf`.

A process of its own, so that the memory (about 1.6 GB at the peak for a 135 M model, measured
2026-11-24) goes back to the system, and so that the noise of the libraries it loads stays here.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any


def convert(gguf: Path, out: Path) -> dict[str, str]:
    """Write weights, configuration, tokenizer and chat template into `out`.

    Returns the versions of the libraries that did it. transformers marks a model read from GGUF
    as quantised and then refuses to save it, hence the fresh model from a clean configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = str(gguf.parent)
    packed: Any = AutoModelForCausalLM.from_pretrained(
        where, gguf_file=gguf.name, dtype=torch.float32
    )
    settings = {k: v for k, v in packed.config.to_dict().items() if k != "quantization_config"}
    config = type(packed.config)(**settings)
    plain: Any = type(packed)(config)
    plain.load_state_dict(packed.state_dict())
    del packed
    plain.to(torch.bfloat16).save_pretrained(str(out))
    tokenizer: Any = AutoTokenizer.from_pretrained(where, gguf_file=gguf.name)
    # The GGUF reader leaves "no limit"; the model's own context is the truth.
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(str(out))
    return {name: version(name) for name in ("torch", "transformers", "gguf")}


if __name__ == "__main__":
    versions = convert(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(json.dumps(versions) + "\n")
