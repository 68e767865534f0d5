"""No way round the policy: what an adapter's source may touch, and what the core hands it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbridge.policy import CheckedStage, CheckedUpload

ROOT = Path(__file__).parents[2]
FOLDERS = [
    *sorted((ROOT / "providers").glob("ftbridge_*")),
    ROOT / "local_backend" / "ftbridge_local",
    ROOT / "ftbridge" / "dialects",
]
SOURCES = [
    path
    for folder in FOLDERS
    for path in sorted(folder.rglob("*.py"))
    if "emulator" not in path.parts and path.name != "emulator.py"
]
READING = frozenset({
    "open", "read_text", "read_bytes", "fdopen", "copyfile", "copy2", "copytree", "symlink_to",
    "hardlink_to", "make_archive",
})  # fmt: skip

READS = {
    "ftbridge_azure_ml/store.py": "weights on their way in",
    "ftbridge_bedrock/refresh.py": "its own price list",
    "ftbridge_openai_compatible/profile.py": "a profile that the user names, never data",
    "ftbridge_ray/settings.py": "a token of Ray's own",
    "ftbridge_together/weights.py": "weights on their way in",
    "ftbridge_vertex/access.py": "what the firmware calls this machine",
    "ftbridge_local/adapter.py": "a finished adapter on its way to the user",
    "ftbridge_local/answers.py": "an adapter's configuration",
    "ftbridge_local/models.py": "the licence in a base model's README",
    "ftbridge_local/model_build.py": "a base model's wheel",
    "ftbridge_local/model_files.py": "a base model's files",
    "ftbridge_local/runs.py": "status, events and log of a run here",
    "ftbridge_local/speed.py": "the recipe of a run here",
}
"""Files that open something that is no :class:`CheckedUpload`, and what that is."""

OUT_OF_BOUNDS = {
    "ftbridge.dataset": {"Dataset", "check", "split"},
    "ftbridge.dataset.dataset": {"Dataset"},
    "ftbridge.dataset.read": None,
    "ftbridge.dataset.source": None,
    "ftbridge.dataset.records": None,
    "ftbridge.jobs.payload": None,
    "ftbridge.policy": {"check_upload", "check_stage"},
    "ftbridge.policy.checked": None,
    "ftbridge.bridge": None,
    "ftbridge.jobs.ledger": None,
}
"""What an adapter may not import: it reads data, issues rights, or knows of both."""


def _name(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _calls(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Every call with the function that it stands in."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            inside = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
            yield (max(inside, key=lambda f: f.lineno) if inside else None), node


def _is_checked(function: ast.FunctionDef | None, call: ast.Call) -> bool:
    """Whether what is opened is a parameter of the type that only the policy issues."""
    if function is None or not isinstance(call.func, ast.Attribute):
        return False
    checked = {
        argument.arg
        for argument in (*function.args.args, *function.args.kwonlyargs)
        if argument.annotation is not None
        and ast.unparse(argument.annotation) in ("CheckedUpload", "CheckedStage")
    }
    if call.func.attr.endswith("link_to"):  # a link to what was opened so, under another name
        return bool(checked) and "stream.name" in ast.unparse(call)
    return ast.unparse(call.func.value).split(".")[0] in checked


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_an_adapter_opens_nothing_but_checked_uploads(path: Path) -> None:
    for function, call in _calls(ast.parse(path.read_text("utf-8"))):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        text = ast.unparse(call)
        if name not in READING or "__file__" in text or _is_checked(function, call):
            continue
        assert _name(path) in READS, f"{path}:{call.lineno}: {text} reads what is not checked"


def test_every_exception_is_needed() -> None:
    assert set(READS) <= {_name(path) for path in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_an_adapter_asks_for_no_data_file(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            text = ast.unparse(node)
            assert not text.endswith((".training.path", ".validation.path")), text
            assert node.attr != "_path" or text == "self._path", f"{path}:{node.lineno}: {text}"
        if isinstance(node, ast.ImportFrom) and node.module in OUT_OF_BOUNDS:
            named = {alias.name for alias in node.names}
            forbidden = OUT_OF_BOUNDS[node.module]
            assert forbidden is not None and not named & forbidden, f"{path}: {ast.unparse(node)}"
        if isinstance(node, ast.Import):
            assert not {alias.name for alias in node.names} & OUT_OF_BOUNDS.keys(), path


def test_the_scan_sees_what_it_should() -> None:
    bad = "def upload(self, spec: JobSpec) -> None:\n    send(open(spec.training.sha256))\n"
    good = "def upload(self, upload: CheckedUpload) -> None:\n    send(upload.open())\n"
    for source, checked in ((bad, False), (good, True)):
        found = [
            _is_checked(function, call)
            for function, call in _calls(ast.parse(source))
            if "open" in ast.unparse(call.func)
        ]
        assert found == [checked]


@pytest.mark.parametrize("kind", [CheckedUpload, CheckedStage])
def test_nobody_else_issues_the_right(kind: type) -> None:
    """The two constructors are called in one module alone."""
    for path in sorted((ROOT / "ftbridge").rglob("*.py")):
        for _, call in _calls(ast.parse(path.read_text("utf-8"))):
            if ast.unparse(call.func).split(".")[-1] == kind.__name__:
                assert path.name == "checked.py", path


def test_every_way_to_bytes_of_a_job_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`upload`, `find_upload` and `import_weights` are all that the engine gives a file to."""
    callers = set()
    for path in sorted((ROOT / "ftbridge").rglob("*.py")):
        for _, call in _calls(ast.parse(path.read_text("utf-8"))):
            if ast.unparse(call.func).endswith("check_upload"):
                callers.add(path.relative_to(ROOT / "ftbridge").as_posix())
    assert callers <= {"jobs/submission.py", "jobs/importing.py", "testing/rehearsal.py"}
