"""Jobs into MLflow (its SQLite store) and W&B (offline), as their own readers see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ftbridge
from ftbridge.cli import run

SECRET = "colour"  # stands in every row of the training data


@pytest.fixture
def evaluated(bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path) -> ftbridge.Job:
    bridge.evaluate(held, model=job.id)
    return job


def _runs(uri: str, project: str) -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(project)
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_mlflow_holds_one_run_a_job(
    bridge: ftbridge.Bridge, evaluated: ftbridge.Job, tmp_path: Path
) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    first = bridge.track([evaluated.id], to="mlflow", project="support", where=uri)
    again = bridge.track([evaluated.id, evaluated.id], to="mlflow", project="support", where=uri)
    assert first == again
    (found,) = _runs(uri, "support")
    assert found.info.status == "FINISHED" and found.info.run_name == evaluated.id
    assert found.data.tags["ftbridge.job"] == evaluated.id
    assert found.data.params["model"] == evaluated.row.model
    assert found.data.params["examples"] == "12"
    assert found.data.metrics["eval.exact_match.tuned"] == 1.0
    points = {(m.step, m.name): m.value for m in evaluated.metrics()}
    history = MlflowClient(uri).get_metric_history(found.info.run_id, "train_loss")
    assert {(p.step, "train_loss"): p.value for p in history} == {
        key: value for key, value in points.items() if key[1] == "train_loss"
    }
    assert history and SECRET not in json.dumps(found.to_dictionary())
    assert str(tmp_path / "train.jsonl") not in json.dumps(found.to_dictionary())


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_mlflow_by_the_command_line_and_by_tag(
    bridge: ftbridge.Bridge,
    evaluated: ftbridge.Job,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert run(["track", evaluated.id, "--to", "mlflow", "--where", uri, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["tracked"]
    assert [each["job"] for each in told] == [evaluated.id]
    assert run(["track", "--to", "mlflow", "--where", uri, "--tag", "sweep=none"]) == 2
    assert run(["track", "job_none", "--to", "mlflow"]) == 2
    assert run(["track", evaluated.id, "--to", "paper"]) == 2
    nowhere = "sqlite:////dev/null/x.db"
    assert run(["track", evaluated.id, "--to", "mlflow", "--where", nowhere]) == 1
    assert "mlflow did not take it" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_wandb_offline_holds_the_run(
    bridge: ftbridge.Bridge,
    evaluated: ftbridge.Job,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("wandb")
    for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    (told,) = bridge.track([evaluated.id], to="wandb", where=str(tmp_path), offline=True)
    assert told.run == evaluated.id
    (kept,) = Path(told.where).glob("run-*.wandb")
    found = kept.read_bytes()
    for wanted in (evaluated.id, "train_loss", "eval.exact_match.tuned", evaluated.row.model):
        assert wanted.encode() in found
    files = [file for file in Path(told.where).rglob("*") if file.is_file()]
    assert not any(SECRET.encode() in file.read_bytes() for file in files)


def test_without_the_package_the_pip_line_is_said(
    bridge: ftbridge.Bridge, job: ftbridge.Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ftbridge.NotInstalled) as caught:
        bridge.track([job.id], to="wandb")
    assert caught.value.hint == "pip install 'ftbridge[wandb]'"
    with pytest.raises(ftbridge.UsageError, match="is no tracker"):
        bridge.track([job.id], to="paper")
