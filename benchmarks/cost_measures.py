"""The single measurements of ``cost.py``; each function is called in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gen_chat

ROOT = Path(__file__).parent.parent
BATCH = 1500
"""Texts in one call, about as many as 256 examples have."""

SLOW = "gemma3"
RESAMPLES = 200


# -- data ----------------------------------------------------------------------------------------


def generate(path: Path, mb: int) -> Path:
    """Generated chats, so many megabytes."""
    size = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for line in gen_chat.lines(10**9, 7):
            stream.write(line)
            size += len(line.encode())
            if size >= mb * 10**6:
                return path
    return path


def real(path: Path, mb: int) -> Path:
    """The public sets under tests/data as chats, repeated to so many megabytes."""
    lines = [json.dumps(chat, ensure_ascii=False) + "\n" for chat in _real_chats()]
    block = "".join(lines).encode()
    path.write_bytes(block * max(1, mb * 10**6 // len(block)))
    return path


def _real_chats() -> Iterator[dict[str, Any]]:
    data = ROOT / "tests" / "data"
    for line in (data / "gsm8k/train.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        yield _chat(row["question"], row["answer"])
    for path in sorted((data / "mgsm").glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            question, answer = line.split("\t")
            yield _chat(question, answer)
    for row in json.loads((data / "qa_feedback/dev_feedback.json").read_text("utf-8")):
        passages = "\n\n".join("".join(passage[-1]) for passage in row["passages"])
        yield _chat(f"{passages}\n\n{row['question']}", row["prediction 1"])
    for path in sorted((data / "bfcl").glob("BFCL*.json")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            yield _chat(json.dumps(row["function"]), row["question"][0][0]["content"])


def _chat(question: str, answer: str) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns}


def texts_of(path: Path, mb: int | None) -> list[str]:
    """The contents of the messages of the first so many megabytes."""
    texts, size = [], 0
    with path.open("rb") as stream:
        for line in stream:
            texts += [m["content"] for m in json.loads(line)["messages"] if m.get("content")]
            size += len(line)
            if mb is not None and size >= mb * 10**6:
                break
    return texts


def head(path: Path, mb: int) -> Path:
    """A file of the first so many megabytes."""
    short = path.with_name(f"{path.stem}-{mb}-{os.getpid()}.jsonl")
    size = 0
    with path.open("rb") as stream, short.open("wb") as target:
        for line in stream:
            target.write(line)
            size += len(line)
            if size >= mb * 10**6:
                break
    return short


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and what the work returned."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


# -- rates ---------------------------------------------------------------------------------------


def ours(name: str, path: Path, mb: int | None) -> dict[str, Any]:
    """Our vocabulary, a batch at a time."""
    from ftbridge.cost.tokens import load, vocabulary

    vocabulary.QUICK_ABOVE = 0  # what is measured is the rate once all is loaded
    loaded = load(name)
    assert loaded
    return _rate(path, mb, lambda texts: sum(loaded.count(texts)))


def reference(name: str, path: Path, mb: int | None) -> dict[str, Any]:
    """The reference tokenizer of the same vocabulary."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with tempfile.TemporaryDirectory() as folder:
        return _rate(path, mb, _REFERENCES[name](Path(folder)))


def _rate(path: Path, mb: int | None, count: Callable[[Sequence[str]], int]) -> dict[str, Any]:
    texts = texts_of(path, mb)
    count(texts[: 2 * BATCH])
    seconds, tokens = cpu(
        lambda: sum(count(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH))
    )
    size = sum(len(text.encode()) for text in texts) / 1e6
    return {"s": seconds, "tokens": tokens, "mb": round(size, 1), "per_s": tokens / seconds}


def _tiktoken(folder: Path) -> Callable[[Sequence[str]], int]:
    import pytest

    with pytest.MonkeyPatch.context() as patch:
        encoding = _references().tiktoken_encoding("o200k_base", folder, patch)
    return lambda texts: sum(len(encoding.encode_ordinary(text)) for text in texts)


def _llama3(folder: Path) -> Callable[[Sequence[str]], int]:
    tokenizer = _references().llama3_tokenizer(folder)
    return lambda texts: sum(
        len(item.ids) for item in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    )


def _tekken(folder: Path) -> Callable[[Sequence[str]], int]:
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    tokenizer = MistralTokenizer.v3(is_tekken=True).instruct_tokenizer.tokenizer
    return lambda texts: sum(len(tokenizer.encode(text, bos=False, eos=False)) for text in texts)


_REFERENCES = {"o200k_base": _tiktoken, "llama3": _llama3, "mistral_v3": _tekken}


def _references() -> Any:
    """The tests' references, whose vocabularies are proven by their hashes."""
    path = ROOT / "tests" / "cost" / "references.py"
    spec = importlib.util.spec_from_file_location("references", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- plan ----------------------------------------------------------------------------------------


def json_loads(path: Path) -> dict[str, Any]:
    """json.loads over the lines."""

    def work() -> None:
        with path.open("rb") as stream:
            for line in stream:
                json.loads(line)

    return {"s": cpu(work)[0]}


def plan(path: Path, kept: bool = False) -> dict[str, Any]:
    """A whole plan for OpenAI, exact count included, in a warm process with an empty home."""
    import ftbridge

    os.environ.pop("OPENAI_API_KEY", None)
    with tempfile.TemporaryDirectory() as home:
        bridge = ftbridge.Bridge(home)
        bridge.plan(head(path, 1), provider="openai")
        if kept:
            bridge.plan(path, provider="openai")
        seconds, made = cpu(lambda: bridge.plan(ftbridge.Dataset(path), provider="openai"))
    return {"s": seconds, "tokens": made.tokens.expected, "grade": made.tokens.grade}


def plan_kept(path: Path) -> dict[str, Any]:
    """The same plan once more: its tokens are kept."""
    return plan(path, kept=True)


def plan_process(path: Path) -> dict[str, Any]:
    """``ftbridge plan`` as a process, start-up and loading included."""
    with tempfile.TemporaryDirectory() as home:
        words = ["plan", str(path), "--provider", "openai", "--json", "--home", home]
        subprocess.run([sys.executable, "-m", "ftbridge", *words], check=False,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"s": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024}


# -- two workers ---------------------------------------------------------------------------------


def two_workers(path: Path, mb: int) -> dict[str, Any]:
    """An exact count by Llama 3's vocabulary: one process, the longer of two parts, both."""
    from ftbridge.cost.tokens import count_file
    from ftbridge.cost.tokens.file import count_part
    from ftbridge.dataset import Dataset
    from ftbridge.dataset.parallel import in_parts

    counter = _counter("llama3")
    path = head(path, mb)
    count_file(Dataset(head(path, 1)), counter)
    wall = time.perf_counter()
    one, totals = cpu(lambda: count_file(Dataset(path), counter))
    middle = time.perf_counter()
    both = count_file(Dataset(path), counter, workers=2)
    end = time.perf_counter()
    assert both == totals
    parts = [cpu(lambda p=part: count_part((p, counter)))[0]
             for part in in_parts(Dataset(path).reader, 2)]  # fmt: skip
    return {"one_s": one, "longest_s": max(parts), "one_wall": middle - wall,
            "two_wall": end - middle}  # fmt: skip


def _counter(name: str) -> Any:
    from ftbridge.catalogue import TokenRule
    from ftbridge.cost.tokens import Framed, load

    vocabulary = load(name)
    assert vocabulary
    rule = TokenRule(vocabulary=name, per_message=4, per_example=3, source="benchmark")
    return Framed(vocabulary, rule)


# -- slow vocabularies ---------------------------------------------------------------------------


def slow_exact(path: Path, mb: int) -> dict[str, Any]:
    """Every example by a slow vocabulary."""
    return _slow(path, mb, "count_file")


def slow_estimate(path: Path, mb: int) -> dict[str, Any]:
    """Exact o200k, then the ratio on a stratified sample."""
    return _slow(path, mb, "estimate_fast")


def _slow(path: Path, mb: int, way: str) -> dict[str, Any]:
    from ftbridge.cost import tokens
    from ftbridge.dataset import Dataset

    short = head(path, mb)
    counter = _counter(SLOW)
    getattr(tokens, way)(Dataset(head(path, 1)), counter)
    seconds, totals = cpu(lambda: getattr(tokens, way)(Dataset(short), counter))
    short.unlink()
    return {"s": seconds, "tokens": totals.expected, "label": totals.count(1).label}


def resamples(path: Path, mb: int) -> dict[str, Any]:
    """The estimate's error and coverage over 200 draws, against the exact count."""
    from ftbridge.cost.tokens.sample import SAMPLE, draw, estimate
    from ftbridge.dataset import Dataset

    short = head(path, mb)
    examples = [item.example for item in Dataset(short).examples()]
    short.unlink()
    sizes, exact = (_each(name, examples) for name in ("o200k_base", SLOW))
    errors, covered = [], 0
    for seed in range(RESAMPLES):
        strata = draw(sizes, SAMPLE, seed)
        drawn = {row: exact[row] for stratum in strata for row in stratum.drawn}
        found = estimate(strata, sizes, drawn)
        covered += found.low <= sum(exact) <= found.high
        errors.append(abs(found.total / sum(exact) - 1))
    return {
        "error_p95": sorted(errors)[int(RESAMPLES * 0.95) - 1],
        "coverage": covered / RESAMPLES,
        "examples": len(examples),
        "sample": SAMPLE,
    }


def _each(name: str, examples: Sequence[Any]) -> list[int]:
    counter = _counter(name)
    return [
        tokens
        for at in range(0, len(examples), 256)
        for tokens in counter.count(examples[at : at + 256]).expected
    ]
