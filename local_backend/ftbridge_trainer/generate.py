"""Answers from a base model, with or without an adapter.

Three things make scoring a test set quick, none of which changes an answer: the tokens that all
prompts begin with are read once, rows of equal length run together (so nothing is padded and no
mask is needed), and a row that has ended leaves its batch.
"""

from __future__ import annotations

import copy
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from .bf16 import cpu_bf16_pays
from .data import message
from .errors import TrainerError

Message = dict[str, Any]
Picker = Callable[[Any, list[int]], list[int]]

MAX_BATCH_ROWS = 16
MAX_BATCH_TOKENS = 16_384  # bounds the key-value cache of a batch
MIN_PREFIX_TOKENS = 16  # a shorter shared beginning is not worth a pass of its own


@dataclass(frozen=True)
class Generation:
    """One answer. `completion_tokens` counts the end of turn; `seconds` start with the batch."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str  # "stop" at an end-of-turn token, "length" at the limit
    seconds: float


class Generator:
    """A model in memory that answers chats; deterministic at temperature 0."""

    def __init__(
        self,
        model_path: Path | str,
        adapter_path: Path | str | None = None,
        *,
        compute_dtype: str = "auto",
        quantize: bool = False,
        threads: int | None = None,
    ) -> None:
        """Load from directories, never from the network. `quantize` keeps the base in NF4 with the
        adapter beside it; an fp32 base takes the adapter in (`merged`), in memory alone."""
        import torch
        from transformers import AutoTokenizer

        if threads is not None:
            torch.set_num_threads(threads)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.compute_dtype = _resolve_dtype(compute_dtype, self._device)
        self._base = str(model_path)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(self._base, local_files_only=True)
        self._model: Any = self._load(quantize)
        self.merged = False
        if adapter_path is not None:
            self._attach(str(adapter_path), quantize)
        self._ends = self._end_tokens()
        self._context = int(getattr(self._model.config, "max_position_embeddings", 0) or 1 << 30)

    def generate(
        self,
        prompts: Sequence[list[Message]],
        *,
        tools: list[dict[str, Any]] | None = None,
        max_new_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        on_done: Callable[[int, str], None] | None = None,
    ) -> list[Generation]:
        """Answer every prompt; the results are in the order of the prompts.

        `on_done(index, text)` is called as each row ends. With `temperature` above 0 a row's draw
        depends on `seed` and its index alone, not on which rows ran beside it.
        """
        ids = [self._encode(prompt, tools, i) for i, prompt in enumerate(prompts)]
        pick = _picker(temperature, seed)
        shared = _common_prefix(ids)
        prefix = self._forward([shared], None).cache if shared else None
        done: dict[int, Generation] = {}
        for rows in _batches(ids):
            started = time.perf_counter()
            tokens: dict[int, list[int]] = {row: [] for row in rows}
            limit = min(max_new_tokens, self._context - len(ids[rows[0]]))
            inputs = {row: ids[row][len(shared) :] for row in rows}
            for step in self._steps(inputs, prefix, limit, pick):
                for row, token in step.items():
                    tokens[row].append(token)
                    if token in self._ends or len(tokens[row]) == limit:
                        seconds = time.perf_counter() - started
                        done[row] = self._result(tokens[row], len(ids[row]), seconds)
                        if on_done is not None:
                            on_done(row, done[row].text)
        return [done[i] for i in range(len(ids))]

    def chat_stream(
        self,
        messages: list[Message],
        max_new_tokens: int,
        *,
        tools: list[dict[str, Any]] | None = None,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> Iterator[str]:
        """Yield one answer in pieces; joined they are what `generate` returns."""
        ids = self._encode(messages, tools, 0)
        limit = min(max_new_tokens, self._context - len(ids))
        tokens: list[int] = []
        sent = 0
        for step in self._steps({0: ids}, None, limit, _picker(temperature, seed)):
            tokens.append(step[0])
            text = self._decode(tokens)
            if not text.endswith("\ufffd"):  # else a character whose bytes are not complete
                yield text[sent:]
                sent = len(text)
        yield self._decode(tokens)[sent:]

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self._tokenizer

    @property
    def context(self) -> int:
        """How many tokens the model reads at most."""
        return self._context

    def logits(self, ids: list[int], keep: int) -> Any:
        """What the model expects after each of the last ``keep`` tokens: [keep, vocabulary]."""
        return self._forward([ids], None, keep).logits[0]

    def _load(self, quantize: bool) -> Any:
        import torch
        from transformers import AutoModelForCausalLM, BitsAndBytesConfig

        dtype = getattr(torch, self.compute_dtype)
        options: dict[str, Any] = {"dtype": dtype, "local_files_only": True}
        if quantize:
            options["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
            )
            options["device_map"] = {"": self._device}
        model: Any = AutoModelForCausalLM.from_pretrained(self._base, **options)
        return model.eval() if quantize else model.to(self._device).eval()

    def _attach(self, adapter: str, quantize: bool) -> None:
        """Put the adapter on the base. It is merged, for speed, in fp32 alone: there log-probs
        move by less than 1e-4 nats, in bf16 rounding moves them by up to 0.9 (SmolLM2-135M)."""
        from peft import PeftModel

        self._model = PeftModel.from_pretrained(self._model, adapter).eval()
        self.merged = self.compute_dtype == "float32" and not quantize
        if self.merged:
            self._model = self._model.merge_and_unload().eval()

    def _encode(
        self, messages: list[Message], tools: list[dict[str, Any]] | None, index: int
    ) -> list[int]:
        if not self._tokenizer.chat_template:
            raise TrainerError(
                "no_chat_template",
                f"the tokenizer in {self._base} has no chat template",
                "use an instruct model, or save a chat_template.jinja beside the tokenizer",
            )
        turns = [message(given, i, f"prompt {index}") for i, given in enumerate(messages)]
        text: str = self._tokenizer.apply_chat_template(
            turns, tools=tools, add_generation_prompt=True, tokenize=False
        )
        ids: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        if len(ids) >= self._context:
            raise TrainerError(
                "prompt_too_long",
                f"prompt {index} has {len(ids)} tokens, the model reads {self._context}",
                "shorten the prompt or use a model with a longer context",
            )
        return ids

    def _end_tokens(self) -> frozenset[int]:
        """Both eos tokens, and what the template writes after an assistant turn (often another)."""
        stated = getattr(self._model.generation_config, "eos_token_id", None)
        ends = set(stated if isinstance(stated, list) else [stated])
        ends.add(self._tokenizer.eos_token_id)
        if self._tokenizer.chat_template:
            mark = "ANSWER-MARK"
            turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": mark}]
            text: str = self._tokenizer.apply_chat_template(turns, tokenize=False)
            after = self._tokenizer(text.rpartition(mark)[2], add_special_tokens=False).input_ids
            if after and after[0] in self._tokenizer.all_special_ids:
                ends.add(after[0])
        return frozenset(int(end) for end in ends if end is not None)

    def _forward(self, ids: list[list[int]], cache: Any, keep: int = 1) -> Any:
        """One pass. No mask and no positions: rows are never padded, and passing either would
        make transformers look for packed sequences."""
        import torch

        with torch.inference_mode():
            return self._model(
                input_ids=torch.tensor(ids, device=self._device),
                cache=cache,
                use_cache=True,
                logits_to_keep=keep,
            )

    def _steps(
        self, inputs: dict[int, list[int]], prefix: Any, limit: int, pick: Picker
    ) -> Iterator[dict[int, int]]:
        """Yield the next token of each row that is still open. All inputs have one length."""
        import torch

        rows, ids, cache = list(inputs), list(inputs.values()), copy.deepcopy(prefix)
        if cache is not None:
            cache.batch_repeat_interleave(len(rows))
        for _ in range(limit):
            out = self._forward(ids, cache)
            tokens = pick(out.logits[:, -1], rows)
            yield dict(zip(rows, tokens, strict=True))
            cache = out.cache
            going = [i for i, token in enumerate(tokens) if token not in self._ends]
            if not going:
                return
            if len(going) < len(rows):
                cache.batch_select_indices(torch.tensor(going, device=self._device))
            rows = [rows[i] for i in going]
            ids = [[tokens[i]] for i in going]

    def _decode(self, tokens: list[int]) -> str:
        body = [token for token in tokens if token not in self._ends]
        return str(self._tokenizer.decode(body, skip_special_tokens=True))

    def _result(self, tokens: list[int], prompt_tokens: int, seconds: float) -> Generation:
        reason = "stop" if tokens[-1] in self._ends else "length"
        return Generation(self._decode(tokens), prompt_tokens, len(tokens), reason, seconds)


def _resolve_dtype(name: str, device: str) -> str:
    """bf16 where it is quicker than fp32, which not every processor with the flag makes true."""
    if name in ("float32", "bfloat16"):
        return name
    if name != "auto":
        raise TrainerError("bad_dtype", f"no compute type {name!r}", "auto, float32 or bfloat16")
    if device == "cpu":
        return "bfloat16" if cpu_bf16_pays() else "float32"
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"


def _greedy(logits: Any, rows: list[int]) -> list[int]:
    best: list[int] = logits.argmax(-1).tolist()
    return best


def _picker(temperature: float, seed: int | None) -> Picker:
    """How a token is chosen from a batch of logits; when drawn, one random stream a row."""
    if temperature <= 0:
        return _greedy
    import torch

    base = secrets.randbits(32) if seed is None else seed
    streams: dict[int, Any] = {}

    def draw(logits: Any, rows: list[int]) -> list[int]:
        chances = (logits.float() / temperature).softmax(-1).cpu()
        tokens: list[int] = []
        for row, chance in zip(rows, chances, strict=True):
            if row not in streams:
                streams[row] = torch.Generator().manual_seed(base * 1_000_003 + row)
            tokens.append(int(torch.multinomial(chance, 1, generator=streams[row])))
        return tokens

    return draw


def _common_prefix(ids: list[list[int]]) -> list[int]:
    """The tokens that all rows begin with; each row keeps at least one token of its own."""
    if len(ids) < 2:
        return []
    columns = zip(*(row[:-1] for row in ids), strict=False)
    shared = [column[0] for column in takewhile(lambda c: len(set(c)) == 1, columns)]
    return shared if len(shared) >= MIN_PREFIX_TOKENS else []


def _batches(ids: list[list[int]]) -> Iterator[list[int]]:
    """Row numbers of equal length, bounded in rows and in tokens."""
    groups: dict[int, list[int]] = {}
    for row, tokens in enumerate(ids):
        groups.setdefault(len(tokens), []).append(row)
    for length, rows in sorted(groups.items()):
        size = max(1, min(MAX_BATCH_ROWS, MAX_BATCH_TOKENS // length))
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
