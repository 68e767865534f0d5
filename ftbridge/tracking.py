"""Jobs into an experiment tracker that a team has already: MLflow or Weights & Biases.

Settings, measured values, evaluations and costs go there, by the job's id, so that the same job
is never there twice; no row of the data and no file path does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ftbridge import clock
from ftbridge.errors import FtbridgeError, NotInstalled, OperationFailed, UsageError
from ftbridge.job import Job
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.states import State

TRACKERS = ("mlflow", "wandb")
JOB_TAG = "ftbridge.job"


@dataclass(frozen=True)
class Record:
    """What a tracker is told of one job. ``points`` are (step, name, value, RFC 3339 time)."""

    job: str
    state: State
    parameters: dict[str, Any]
    points: list[tuple[int, str, float, str]]
    results: dict[str, float]
    tags: dict[str, str]
    created_at: str
    finished_at: str | None


@dataclass(frozen=True)
class Tracked:
    """A job's run at a tracker; ``where`` is how a person finds it."""

    job: str
    run: str
    where: str


def record(job: Job, ledger: Ledger) -> Record:
    """A job as the ledger knows it now."""
    row, plan = job.row, job.plan
    given = {name: each.value for name, each in plan.settings.items() if each.value is not None}
    about = {"provider": row.provider, "model": row.model, "method": row.method,
             "adapter": row.adapter, "data_sha256": plan.spec.training.sha256,
             "examples": plan.spec.training.examples}  # fmt: skip
    points = [(m.step, m.name, m.value, m.time or row.created_at) for m in job.metrics()]
    return Record(
        row.id,
        row.state,
        about | given,
        points,
        _results(job, ledger),
        plan.spec.tags | {JOB_TAG: row.id},
        row.created_at,
        row.finished_at,
    )


def _results(job: Job, ledger: Ledger) -> dict[str, float]:
    """The latest evaluation's numbers and what the job cost."""
    found: dict[str, float] = {}
    latest = ledger.evaluations.latest(job.id)
    for each in (latest or {}).get("metrics", []):
        name, difference = each["metric"], each["difference"]
        found |= {
            f"eval.{name}.baseline": each["baseline"]["value"],
            f"eval.{name}.tuned": each["tuned"]["value"],
            f"eval.{name}.difference": difference["value"],
            f"eval.{name}.difference_low": difference["ci"][0],
            f"eval.{name}.difference_high": difference["ci"][1],
        }
    told = job.to_dict()
    costs = {"usd.estimate_high": told["usd"]["high"], "usd.billed": told["billed_usd"]}
    return found | {name: value for name, value in costs.items() if value is not None}


def track(
    jobs: Sequence[Job], ledger: Ledger, to: str, project: str, where: str | None, offline: bool
) -> list[Tracked]:
    """Tell a tracker of some jobs, or tell it again what has changed.

    Args:
        to: one of :data:`TRACKERS`.
        project: MLflow's experiment, or W&B's project.
        where: MLflow's tracking URI; W&B's folder for runs. None: what the tracker's own settings
            say.
        offline: W&B: write a folder that ``wandb sync`` sends later.

    Raises:
        UsageError: for another tracker. NotInstalled. OperationFailed: with the tracker's reason.
    """
    if to not in TRACKERS:
        raise UsageError(f"`{to}` is no tracker", hint=f"one of {', '.join(TRACKERS)}", where="to")
    if not jobs:
        raise UsageError("no job is named", hint="name jobs, or --tag K=V", where="job")
    records = [record(job, ledger) for job in jobs]
    try:
        if to == "mlflow":
            return _to_mlflow(records, project, where)
        return _to_wandb(records, project, where, offline)
    except ImportError:
        raise NotInstalled(f"{to} is not installed", hint=f"pip install 'ftbridge[{to}]'") from None
    except FtbridgeError:
        raise
    except Exception as error:  # a tracker raises whatever it likes
        reason = (str(error).splitlines() or [""])[0]
        raise OperationFailed(
            f"{to} did not take it: {reason or type(error).__name__}",
            hint="look at its settings and whether it can be reached",
            where=to,
            code="tracker",
        ) from error


def _to_mlflow(records: Sequence[Record], project: str, uri: str | None) -> list[Tracked]:
    """A run a job, found again by its tag."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    known = client.get_experiment_by_name(project)
    experiment = known.experiment_id if known else client.create_experiment(project)
    return [_mlflow_run(client, experiment, project, each) for each in records]


def _mlflow_run(client: Any, experiment: str, project: str, each: Record) -> Tracked:
    from mlflow.entities import Metric, Param

    old = client.search_runs([experiment], f"tags.`{JOB_TAG}` = '{each.job}'", max_results=1)
    run = old[0] if old else _new_run(client, experiment, each)
    name, there = run.info.run_id, run.data
    new = {key: value for key, value in each.parameters.items() if key not in there.params}
    client.log_batch(name, params=[Param(key, str(value)) for key, value in new.items()])
    now = _millis(clock.stamp())
    points = _newer(client, name, each)
    points += [Metric(k, v, now, 0) for k, v in each.results.items() if there.metrics.get(k) != v]
    for start in range(0, len(points), BATCH):
        client.log_batch(name, metrics=points[start : start + BATCH])
    if each.state in _ENDS:
        client.set_terminated(name, _ENDS[each.state], _millis(each.finished_at or clock.stamp()))
    return Tracked(each.job, name, f"experiment {project}, run {each.job}")


BATCH = 1000
"""What MLflow takes in one call (mlflow 3.17, MAX_METRICS_PER_BATCH)."""
_ENDS = {State.SUCCEEDED: "FINISHED", State.FAILED: "FAILED", State.CANCELLED: "KILLED"}


def _new_run(client: Any, experiment: str, each: Record) -> Any:
    return client.create_run(
        experiment, start_time=_millis(each.created_at), tags=each.tags, run_name=each.job
    )


def _newer(client: Any, run: str, each: Record) -> list[Any]:
    """The points that the run does not hold yet."""
    from mlflow.entities import Metric

    names = {name for _, name, _, _ in each.points}
    held = {(n, point.step) for n in names for point in client.get_metric_history(run, n)}
    return [
        Metric(name, value, _millis(time), step)
        for step, name, value, time in each.points
        if (name, step) not in held
    ]


def _to_wandb(
    records: Sequence[Record], project: str, folder: str | None, offline: bool
) -> list[Tracked]:
    """A run a job, whose id is the job's, so that it is resumed and not made twice."""
    import wandb

    done = []
    for each in records:
        run = wandb.init(
            project=project,
            id=each.job,
            name=each.job,
            resume=None if offline else "allow",
            mode="offline" if offline else None,
            dir=folder,
            config=each.parameters,
            tags=[f"{name}={value}"[:64] for name, value in each.tags.items()],
            settings=wandb.Settings(silent=True, disable_git=True, save_code=False),
        )
        _fill(run, each)
        where = str(Path(run.dir).parent) if offline else str(run.url)
        run.finish(exit_code=0 if each.state is State.SUCCEEDED else 1)
        done.append(Tracked(each.job, each.job, where))
    return done


def _fill(run: Any, each: Record) -> None:
    steps: dict[int, dict[str, float]] = {}
    for step, name, value, _ in each.points:
        steps.setdefault(step, {})[name] = value
    for step, values in sorted(steps.items()):
        run.log(values, step=step)
    run.summary.update(each.results | {"state": str(each.state)})


def _millis(time: str) -> int:
    return int(clock.parse(time, "time").timestamp() * 1000)


def to_json(tracked: Sequence[Tracked]) -> dict[str, Any]:
    """The JSON form."""
    return {"tracked": [asdict(each) for each in tracked]}
