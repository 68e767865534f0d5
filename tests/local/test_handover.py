"""``ftbridge export``: configs that other trainers' own schemas take, and data that they read.

``trainers/schemas.json`` was read off the real packages by ``trainers/extract.py``; where one of
them is installed its own reader is asked too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import ftbridge
from ftbridge import handover
from ftbridge.testing.tiny_model import build

SCHEMAS = json.loads((Path(__file__).parent / "trainers" / "schemas.json").read_text("utf-8"))
TURNS = [
    {"role": "user", "content": "Where is it?"},
    {"role": "assistant", "content": "It is here: \"a\"."},
]  # fmt: skip
CALLS = {
    "messages": [
        TURNS[0],
        {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function",
         "function": {"name": "find", "arguments": '{"what":"it"}'}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "here"},
        TURNS[1],
    ],
    "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}],
}  # fmt: skip
ROWS: dict[str, list[dict[str, Any]]] = {
    "chat": [{"messages": TURNS, "metadata": {"row": n}} for n in range(20)],
    "preference": [
        {"prompt": TURNS[:1], "chosen": TURNS[1:],
         "rejected": [{"role": "assistant", "content": f"no {n}"}]}
        for n in range(20)
    ],
    "text": [{"text": f"text {n}"} for n in range(20)],
}  # fmt: skip
CASES = sorted(
    (name, str(kind)) for name in handover.names() for kind in handover.load(name).formats
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return build(tmp_path_factory.mktemp("models") / "qwen2.5-0.5b-instruct")


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def _export(
    tmp_path: Path, base: Path, to: str, rows: list[dict[str, Any]], **more: Any
) -> tuple[handover.HandedOver, dict[str, Any]]:
    data = _write(tmp_path / "data.jsonl", rows)
    held_out = _write(tmp_path / "held-out.jsonl", rows[:2])
    bridge = ftbridge.Bridge(tmp_path / "home")
    asked = {"model": str(base), "adapter": "qlora", "learning_rate": 2e-5} | more
    out = tmp_path / "out"
    made = bridge.hand_over(data, to=to, out=out, validation=held_out, seed=7, **asked)
    return made, yaml.safe_load((out / "config.yaml").read_text("utf-8"))


def _kind(value: Any) -> str:
    return type(value).__name__


def _require(content: dict[str, Any], schema: dict[str, list[str]]) -> None:
    """Every key is known, and of a kind that it may have (a whole number is a float too)."""
    for key, value in content.items():
        takes = schema[key]
        fits = _kind(value) in takes or (_kind(value) == "int" and "float" in takes)
        assert "any" in takes or fits, (key, value, takes)


# transformers 5.24 has a new name for what all of them, and its older versions, call so
@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")
@pytest.mark.parametrize(("to", "kind"), CASES)
def test_a_config_is_what_that_trainer_takes(
    tmp_path: Path, base: Path, to: str, kind: str
) -> None:
    made, config = _export(tmp_path, base, to, ROWS[kind])
    assert made.written == 20
    assert made.losses == []
    for name in made.files:
        assert (tmp_path / "out" / name).stat().st_mode & 0o777 == 0o600
    _held_to_its_schema(to, kind, config)
    _read_by_itself(to, kind, config, tmp_path / "out")


def _held_to_its_schema(to: str, kind: str, config: dict[str, Any]) -> None:
    schema = SCHEMAS[to]
    if to == "trl":
        return _require(config, schema["dpo" if kind == "preference" else "sft"])
    if to == "torchtune":
        for name in ("model", "tokenizer", "checkpointer", "dataset", "lr_scheduler"):
            part = dict(config[name])
            component = part.pop("_component_").rpartition(".")[2]
            part.pop("data_files", None)  # goes on to datasets.load_dataset
            _require(part, schema[component])
        return None
    _require(config, schema[""])
    if to == "unsloth":
        for name in ("data", "training", "lora"):
            _require(config[name], schema[name])
    if to == "axolotl":
        taken = schema["datasets"] | schema["datasets (dpo)"]
        taken |= {"field_chosen": ["str"], "field_rejected": ["str"]}  # read by the strategy
        for entry in [*config["datasets"], *config["test_datasets"]]:
            _require(entry, taken)
    return None


def _read_by_itself(to: str, kind: str, config: dict[str, Any], out: Path) -> None:
    """Its own reader, where it is installed."""
    if to == "trl":
        trl = pytest.importorskip("trl")
        made = trl.DPOConfig if kind == "preference" else trl.SFTConfig
        parser = trl.TrlParser((trl.ScriptArguments, made, trl.ModelConfig))
        values = config | {"bf16": False, "use_cpu": True}  # it asks for a GPU else
        parser.parse_dict(values, allow_extra_keys=False)
    elif to == "unsloth":
        pytest.importorskip("unsloth_cli").config.load_config(out / "config.yaml")
    elif to == "axolotl":
        schemas = pytest.importorskip("axolotl.utils.schemas.config")
        schemas.AxolotlInputConfig(**config)
    elif to == "llamafactory":
        hparams = pytest.importorskip("llamafactory.hparams")
        from transformers import HfArgumentParser

        classes = (hparams.ModelArguments, hparams.DataArguments, hparams.FinetuningArguments)
        known = set().union(*(each.__dataclass_fields__ for each in classes))
        HfArgumentParser(classes).parse_dict({k: v for k, v in config.items() if k in known})
    else:
        pytest.importorskip("torchtune")
        from omegaconf import OmegaConf
        from torchtune.config._validate import validate

        validate(OmegaConf.create(config))


@pytest.mark.parametrize("to", sorted(handover.names()))
def test_the_settings_are_the_same_whatever_they_are_called(
    tmp_path: Path, base: Path, to: str
) -> None:
    made, config = _export(
        tmp_path, base, to, ROWS["chat"], n_epochs=4, batch_size=6, lora_r=24, warmup_ratio=0.1
    )
    flat = _flat(config)
    names = {
        "axolotl": ("num_epochs", "learning_rate", "lora_r", "warmup_ratio", "seed"),
        "llamafactory": ("num_train_epochs", "learning_rate", "lora_rank", "warmup_steps", "seed"),
        "torchtune": ("epochs", "lr", "lora_rank", "num_warmup_steps", "seed"),
        "trl": ("num_train_epochs", "learning_rate", "lora_r", "warmup_steps", "seed"),
        "unsloth": ("num_epochs", "learning_rate", "lora_r", "warmup_steps", "random_seed"),
    }[to]
    steps = 0.1 if to == "axolotl" else 2  # a tenth of 16 steps, rounded up
    assert [flat[name] for name in names] == [4, 2e-5, 24, steps, 7]
    accumulated = flat["gradient_accumulation_steps"]
    micro = next(value for key, value in flat.items() if key.endswith("batch_size"))
    assert accumulated * micro == 6
    assert made.settings["n_epochs"] == (4, "given")
    assert made.settings["lora_alpha"].origin.startswith("default: ")


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= _flat(value) if isinstance(value, dict) else {key: value}
    return found


def test_axolotl_keeps_the_weights_of_turns(tmp_path: Path, base: Path) -> None:
    rows = [{"messages": [*TURNS[:1], TURNS[1] | {"weight": 0}, *TURNS], "metadata": {"n": 1}}]
    made, config = _export(tmp_path, base, "axolotl", rows * 3)
    line = json.loads((tmp_path / "out" / "data" / "train.jsonl").read_text().splitlines()[0])
    assert made.losses == []
    assert line["messages"][1]["weight"] == 0
    assert "metadata" not in line
    assert config["datasets"][0]["message_field_training"] == "weight"


def test_what_would_be_lost_is_refused_and_named(tmp_path: Path, base: Path) -> None:
    rows = [{"messages": [*TURNS[:1], TURNS[1] | {"weight": 0}, *TURNS]}]
    with pytest.raises(ftbridge.LossError, match="weight_dropped"):
        _export(tmp_path, base, "trl", rows)
    assert not (tmp_path / "out" / "config.yaml").exists()


def test_calls_reach_those_that_read_calls(tmp_path: Path, base: Path) -> None:
    with pytest.raises(ftbridge.DataError, match=r"data.jsonl:1: torchtune's chats have no tools"):
        _export(tmp_path, base, "torchtune", [CALLS])
    made, _ = _export(tmp_path, base, "llamafactory", [CALLS], allow_lossy=True)
    line = json.loads((tmp_path / "out" / "data" / "train.jsonl").read_text())
    assert [turn["from"] for turn in line["conversations"]] == [
        "human", "function_call", "observation", "gpt",
    ]  # fmt: skip
    assert made.written == 1


@pytest.mark.parametrize(
    ("to", "kind", "said"),
    [
        ("unsloth", "preference", "not handed preference"),
        ("torchtune", "preference", "not handed preference"),
        ("nothing", "chat", "no trainer is called"),
    ],
)
def test_what_a_trainer_cannot_do_is_said(
    tmp_path: Path, base: Path, to: str, kind: str, said: str
) -> None:
    with pytest.raises(ftbridge.FtbridgeError, match=said):
        _export(tmp_path, base, to, ROWS[kind])


def test_torchtune_says_which_models_it_knows(tmp_path: Path, base: Path) -> None:
    other = build(tmp_path / "smollm2")
    with pytest.raises(ftbridge.Unsupported, match="builds no model"):
        _export(tmp_path, other, "torchtune", ROWS["chat"])
    with pytest.raises(ftbridge.Unsupported, match="not on this machine"):
        _export(tmp_path, Path("Qwen/Qwen2.5-7B-Instruct"), "torchtune", ROWS["chat"])


@pytest.mark.long
def test_a_job_is_handed_over_with_its_own_settings(tmp_path: Path, base: Path) -> None:
    """A job of this machine that has not begun: its spec; a model that is no path stays a name."""
    bridge = ftbridge.Bridge(tmp_path / "home")
    data = _write(tmp_path / "train.jsonl", ROWS["chat"])
    plan = bridge.plan(
        data, provider="local", model=str(base), adapter="lora", n_epochs=1, lora_r=4,
        validation=_write(tmp_path / "valid.jsonl", ROWS["chat"][:2]),
        options={"compute_dtype": "fp32", "threads": "1", "packing": "false"},
    )  # fmt: skip
    job = bridge.submit(plan).wait(0.05)
    made = bridge.hand_over(job.id, to="axolotl", out=tmp_path / "out", batch_size=4)
    config = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text("utf-8"))
    assert (config["lora_r"], config["num_epochs"], config["bf16"]) == (4, 1, False)
    assert config["adapter"] == "lora"
    assert config["sequence_len"] == job.decided()["max_length"].value
    assert made.settings["batch_size"] == (4, "given")
    assert made.files == ["data/train.jsonl", "data/validation.jsonl", "config.yaml"]
    data.write_text("{}\n")
    with pytest.raises(ftbridge.DataError, match="has changed"):
        bridge.hand_over(job.id, to="axolotl", out=tmp_path / "again")
