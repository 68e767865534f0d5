"""The tool itself: encrypted ways, safe downloads, private files, masked credentials, no shell."""

from __future__ import annotations

import ast
import io
import os
import pickle
import stat
import zipfile
from pathlib import Path

import pytest
from emulated import Account

import ftbridge
from ftbridge import registry, weights
from ftbridge.policy.transport import in_the_clear, is_loopback

from .conftest import Ask, rows

ROOT = Path(__file__).parents[2]

# -- transport -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "clear"),
    [
        ("https://api.openai.com/v1", False),
        ("http://api.openai.com/v1", True),
        ("HTTP://proxy.internal:8080", True),
        (" http://10.0.0.1", True),
        ("http://0.0.0.0:8000", True),
        ("http://127.0.0.1:8000/v1", False),
        ("http://127.8.8.8", False),
        ("http://[::1]:9/v1", False),
        ("http://localhost:4000", False),
        ("http://localhost.evil.example", True),
        ("http://127.0.0.1.evil.example", True),
        ("http://user@127.0.0.1@evil.example/", True),
        ("http://[::ffff:8.8.8.8]/", True),
        ("", False),
        ("/home/me/.ftbridge", False),
    ],
)
def test_what_is_in_the_clear(address: str, clear: bool) -> None:
    assert in_the_clear(address) is clear


def test_a_loopback_name_is_not_looked_up() -> None:
    assert not is_loopback("localhost.localdomain")


COMMANDS = [
    ["submit", "DATA", "--provider", "openai", "--yes"],
    ["plan", "DATA", "--provider", "openai"],
    ["policy", "check", "DATA", "--provider", "openai"],
    ["chat", "openai:gpt-4.1", "hello"],
    ["doctor", "openai"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_nothing_is_sent_in_the_clear(
    command: list[str], data: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of all tests would raise where anything tried to connect."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-private-and-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://proxy.internal/v1")
    said = ask(*[str(data) if word == "DATA" else word for word in command])
    assert said.code in (4, 5) and "not encrypted" in said.out
    assert "private-and-secret" not in said.out + said.err


@pytest.mark.parametrize("name", [n for n in registry.names() if registry.load(n).leaves])
def test_no_provider_is_reached_in_the_clear(name: str, ask: Ask, data: Path) -> None:
    said = ask("plan", data, "--provider", name, "--base-url", "http://proxy.internal/v1")
    assert (said.code, said.json["error"]["where"]) == (5, "default.tls-only")


def test_compare_names_it_and_goes_on(
    data: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://proxy.internal/v1")
    said = ask("compare", data)
    assert said.code == 0
    reasons = [x["reason"] for x in said.json["excluded"] if x["provider"] == "openai"]
    assert "default.tls-only" in reasons[0]


def test_doctor_of_all_goes_on(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://proxy.internal/v1")
    checks = ask("doctor").json["checks"]
    assert [c["name"] for c in checks if c["provider"] == "openai"] == ["address"]
    assert {"local", "ftbridge"} <= {check["provider"] for check in checks}


@pytest.mark.parametrize("target", ["http://hooks.example/x", "HTTP://hooks.example"])
def test_a_webhook_is_encrypted_too(target: str, ask: Ask) -> None:
    said = ask("watch", "--notify", target)
    assert said.code == 2 and "not encrypted" in said.json["error"]["message"]


# -- downloads -----------------------------------------------------------------------------------


def _zip(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"archive/{name}", b"x")
    return stream.getvalue()


PICKLES = {
    "protocol2.bin": pickle.dumps({"a": 1}, protocol=2),
    "protocol4.bin": pickle.dumps({"a": 1}, protocol=4),
    "pytorch_model.bin": _zip("data.pkl"),
    "optimizer.pt": b"",
    "model.pth": b"anything",
    "training_args.PKL": b"",
    "adapter_model.safetensors": pickle.dumps([1], protocol=5),
}
FINE = {
    "adapter_model.safetensors": b"\x08\0\0\0\0\0\0\0{}      ",
    "adapter_config.json": b"{}",
    "model.gguf": b"GGUF\x03\0\0\0",
    "tokenizer.zip": _zip("vocabulary.json"),
    "empty": b"",
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_thrown_away(tmp_path: Path, name: str) -> None:
    def fetch(folder: Path) -> Path:
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / name).write_bytes(PICKLES[name])
        (folder / "adapter_config.json").write_text("{}")
        return folder

    with pytest.raises(ftbridge.ProviderError, match="pickle"):
        weights.bring(fetch, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_is_fine_is_kept(tmp_path: Path) -> None:
    def fetch(folder: Path) -> Path:
        folder.mkdir()
        for name, content in FINE.items():
            (folder / name).write_bytes(content)
        (folder / "link.json").symlink_to("adapter_config.json")
        return folder

    (tmp_path / "out").mkdir()
    assert weights.bring(fetch, tmp_path / "out") == tmp_path / "out"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FINE, "link.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd", "..", "/"])
def test_a_link_that_leads_out_is_thrown_away(tmp_path: Path, target: str) -> None:
    def fetch(folder: Path) -> Path:
        folder.mkdir()
        (folder / "config.json").symlink_to(target)
        return folder

    with pytest.raises(ftbridge.ProviderError, match="leads out"):
        weights.bring(fetch, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_pipe_is_no_weight(tmp_path: Path) -> None:
    def fetch(folder: Path) -> Path:
        folder.mkdir()
        os.mkfifo(folder / "weights")
        return folder

    with pytest.raises(ftbridge.ProviderError, match="no plain file"):
        weights.bring(fetch, tmp_path / "out")


def test_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(ftbridge.UsageError):
        weights.bring(lambda folder: folder, tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "mine"


@pytest.mark.parametrize("weight", ["pytorch_model.bin", "model.pt"])
def test_a_base_model_in_a_pickle_is_refused(
    tmp_path: Path, data: Path, ask: Ask, weight: str
) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / weight).write_bytes(_zip("data.pkl"))
    said = ask("plan", data, "--provider", "local", "--model", folder)
    assert said.code == 4 and "safetensors" in said.json["error"]["message"]


# -- the home ------------------------------------------------------------------------------------


def test_only_its_owner_reads_the_home(
    vendor: Account, data: Path, project: Path, closed_world: Path, ask: Ask
) -> None:
    os.umask(0o022)
    job = ask("submit", data, "--provider", "openai", "--yes", "--watch").json["job"]
    held = project / "held.jsonl"
    held.write_text(rows("another question", 3))
    ask("eval", held, "--model", job, "--baseline", "base")
    ask("plan", data, "--provider", "local", "--validation", "0.2")
    ask("egress", "list")
    found = [closed_world, *closed_world.rglob("*")]
    assert len(found) > 8
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path} has {mode:o}"


def test_doctor_tells_of_an_open_home(closed_world: Path, ask: Ask) -> None:
    closed_world.mkdir(mode=0o755, parents=True)
    closed_world.chmod(0o755)
    home = next(c for c in ask("doctor").json["checks"] if c["name"] == "home")
    assert home["ok"] is False and f"chmod 700 {closed_world}" in home["hint"]
    closed_world.chmod(0o700)
    home = next(c for c in ask("doctor").json["checks"] if c["name"] == "home")
    assert home["ok"] is True


# -- credentials ---------------------------------------------------------------------------------

CREDENTIALS = (
    "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "MISTRAL_API_KEY",
    "TOGETHER_API_KEY", "FIREWORKS_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_OAUTH_ACCESS_TOKEN",
)  # fmt: skip
KEY = "sk-ThisIsNobodysBusiness0123456789"


def test_doctor_shows_no_credential(
    vendor: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch, closed_world: Path
) -> None:
    for name in CREDENTIALS:
        monkeypatch.setenv(name, KEY)
    for option in ("AZURE_OPENAI_ENDPOINT", "FTBRIDGE_MISTRAL_BASE_URL", "TOGETHER_BASE_URL"):
        monkeypatch.setenv(option, "http://127.0.0.1:9")
    said = [ask("doctor"), *[ask("doctor", name) for name in registry.names()]]
    assert all(KEY not in item.out + item.err for item in said)
    kept = [path.read_bytes() for path in closed_world.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in content for content in kept)


# -- processes -----------------------------------------------------------------------------------

SOURCES = [
    path
    for folder in ("ftbridge", "providers", "local_backend")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


UNSAFE = {"os.system", "os.popen", "eval", "exec", "pickle.load", "pickle.loads", "yaml.load",
          "marshal.loads"}  # fmt: skip


def test_no_shell_and_no_unsafe_loading() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            text = ast.unparse(node)
            name = ast.unparse(node.func)
            assert not any(word.arg == "shell" for word in node.keywords), f"{path}: {text}"
            assert name not in UNSAFE, f"{path}: {text}"
            if name == "torch.load":
                assert "weights_only=True" in text, f"{path}: {text}"
            if name.endswith("from_pretrained") and "Tokenizer" in name + text:
                assert "trust_remote_code=True" not in text
            assert not any(
                word.arg == "verify" and ast.unparse(word.value) == "False"
                for word in node.keywords
            ), f"{path}: {text}"
