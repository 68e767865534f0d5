"""What an adapter that came home says on its base, by peft alone."""

from __future__ import annotations

from pathlib import Path


def base_in(hub: Path) -> Path:
    """The one model of an emulated machine's hub cache."""
    return next(hub.glob("models--*/snapshots/*"))


def answer(base: Path, adapter: Path) -> str:
    """The answer to one question."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
    messages = [{"role": "user", "content": "where is card 3?"}]
    tokens = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    out = model.generate(**tokens, max_new_tokens=12, do_sample=False)
    return str(tokenizer.decode(out[0][tokens["input_ids"].shape[1] :]))
