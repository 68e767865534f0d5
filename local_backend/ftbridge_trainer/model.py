"""The base model and what is trained on it: find, load, quantise, attach LoRA, save, load back."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import TrainerError
from .recipe import Resolved

if TYPE_CHECKING:
    import torch

ADAPTER_FILE = "adapter_model.safetensors"
FULL_FILE = "trainable.safetensors"


def find(name: str, run_path: Path, offline: bool) -> Path:
    """The folder of a model: a path (also relative to the run directory) or a hub id."""
    for folder in (Path(name).expanduser(), run_path / name):
        if (folder / "config.json").is_file():
            return folder.resolve()
    from huggingface_hub import snapshot_download

    try:
        wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
        return Path(snapshot_download(name, local_files_only=offline, allow_patterns=wanted))
    except Exception as error:  # the hub's client raises many kinds, all meaning the same here
        raise TrainerError(
            "model_not_found",
            f"no model at {name} on this machine"
            + ("" if offline else ", nor could it be fetched"),
            'give a folder with config.json, or allow the download with "offline": false',
        ) from error


def load_tokenizer(model_dir: Path) -> Any:
    """The model's tokenizer; code inside a model folder is never run."""
    from transformers import AutoTokenizer

    silence()
    return AutoTokenizer.from_pretrained(model_dir, local_files_only=True, trust_remote_code=False)


def load_base(model_dir: Path, dtype: Any, device: str, quantization: Any = None) -> Any:
    """The base model in `dtype` on one device; weights come from safetensors only."""
    from transformers import AutoModelForCausalLM

    silence()
    try:
        return AutoModelForCausalLM.from_pretrained(
            model_dir,
            dtype=dtype,
            device_map={"": device},
            quantization_config=quantization,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    except (ValueError, OSError, KeyError) as error:
        raise TrainerError(
            "model_not_usable",
            f"transformers can't load {model_dir}: {str(error).splitlines()[0][:200]}",
            "check that the folder holds a causal language model in safetensors",
        ) from error


def build(model_dir: Path, recipe: Resolved) -> Any:
    """The trainable model of a recipe. LoRA starts from the seed, so it is the same every time."""
    import torch

    compute = torch.bfloat16 if recipe.compute_dtype == "bf16" else torch.float32
    if recipe.adapter == "full":
        model = load_base(model_dir, torch.float32, recipe.device)  # masters in fp32
    else:
        quantization = _nf4(recipe, compute) if recipe.adapter == "qlora" else None
        base = load_base(model_dir, compute, recipe.device, quantization)
        model = _attach_lora(base, recipe)
    if recipe.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    return model


def _nf4(recipe: Resolved, compute: torch.dtype) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=compute,
        bnb_4bit_use_double_quant=recipe.double_quant,
    )


def _attach_lora(base: Any, recipe: Resolved) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model

    modules = recipe.target_modules
    config = LoraConfig(
        r=recipe.lora_r,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        bias="none",
        task_type="CAUSAL_LM",
        base_model_name_or_path=recipe.model,
    )
    for parameter in base.parameters():
        parameter.requires_grad_(False)
    torch.manual_seed(recipe.seed)
    try:
        model = get_peft_model(base, config)
    except ValueError as error:
        raise TrainerError(
            "target_modules_unknown",
            f"peft can't attach LoRA: {str(error).splitlines()[0][:200]}",
            'use "all-linear", or names of linear layers of this model',
        ) from error
    model.peft_config["default"].base_model_name_or_path = recipe.model
    return model


def trainable(model: Any) -> list[tuple[str, torch.nn.Parameter]]:
    """Names and parameters that are trained, in the model's own, fixed order."""
    return [(name, p) for name, p in model.named_parameters() if p.requires_grad]


def save_trainable(model: Any, recipe: Resolved, folder: Path) -> None:
    """Write what is trained: a PEFT adapter, or for full fine-tuning the fp32 master weights."""
    from safetensors.torch import save_file

    if recipe.adapter == "full":
        weights = {name: p.detach().contiguous() for name, p in trainable(model)}
        save_file(weights, folder / FULL_FILE, metadata={"format": "pt"})
        return
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    save_file(weights, folder / ADAPTER_FILE, metadata={"format": "pt"})
    config = copy.copy(model.peft_config["default"])
    config.inference_mode = True
    config.save_pretrained(folder)


def load_trainable(model: Any, recipe: Resolved, folder: Path) -> None:
    """The inverse of `save_trainable`, bit for bit."""
    import torch
    from safetensors.torch import load_file

    if recipe.adapter == "full":
        weights = load_file(folder / FULL_FILE)
        with torch.no_grad():
            for name, parameter in trainable(model):
                parameter.copy_(weights[name])
        return
    from peft import set_peft_model_state_dict

    outcome = set_peft_model_state_dict(model, load_file(folder / ADAPTER_FILE))
    if outcome.unexpected_keys:
        raise TrainerError(
            "checkpoint_mismatch",
            f"{folder.name} holds weights that this model lacks",
            "start again in a new run directory",
        )


def save_full(model: Any, model_dir: Path, folder: Path) -> None:
    """Write a complete model in the number type that its base is stored in."""
    import torch
    from transformers import AutoConfig

    dtype = AutoConfig.from_pretrained(model_dir, local_files_only=True).dtype
    model.to(dtype or torch.float32).save_pretrained(folder)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """No dropout, no gradients, for the block; the model trains again afterwards.

    The NF4 layers stay in training mode: in evaluation mode bitsandbytes repacks their weights
    for a CPU kernel that has no backward pass, and every later step would silently lose the
    gradient that flows through them. The mode changes nothing else in these layers.
    """
    import torch

    model.eval()
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.training = True
    try:
        with torch.no_grad():
            yield
    finally:
        model.train()


def keep_training_mode(model: Any) -> None:
    """Make NF4 layers deaf to evaluation mode, for a loop that is not ours; see `evaluating`."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.train(True)
            module.train = lambda mode=True, itself=module: itself


def packing_is_clean(model: Any, device: str) -> bool:
    """Whether packed examples really don't see each other in this model.

    Two rows share their second example and differ in the first: the second example's hidden
    states must not notice. Models with recurrent layers, for one, fail this.
    """
    import torch

    half = 16
    ids = torch.arange(3 * half, device=device) % model.config.get_text_config().vocab_size
    positions = torch.arange(half, device=device).repeat(2).unsqueeze(0)
    with evaluating(model):
        one, two = (
            model(
                input_ids=torch.cat([ids[first : first + half], ids[2 * half :]]).unsqueeze(0),
                position_ids=positions,
                attention_mask=None,
                use_cache=False,
            ).logits[0, half:]
            for first in (0, half)
        )
    return bool(torch.allclose(one.float(), two.float(), rtol=1e-3, atol=1e-3))


def silence() -> None:
    """Keep the libraries' notices out of the log: none concerns the user of a run."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for name in ("torchao", "bitsandbytes", "peft", "accelerate", "torch.utils.cpp_extension"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    kin = r"(torchao|bitsandbytes|peft|accelerate|transformers)\b"
    warnings.filterwarnings("ignore", module=kin)
