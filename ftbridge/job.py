"""A job and a model as an application holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge import model_card, weights
from ftbridge.errors import JobFailed, JobUncertain, OperationFailed
from ftbridge.jobs import control, purging, verdict
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.ledger.deployments import DeploymentRow, Serving
from ftbridge.jobs.notify import tell_once
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.purging import Purged
from ftbridge.jobs.states import State
from ftbridge.jobs.watch import Update, refresh, watch
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    Message,
    Provider,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteMetric,
    Setting,
)

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge


class Model:
    """A base or tuned model at a provider."""

    def __init__(self, provider: Provider, name: str) -> None:
        self.provider = provider
        self.name = name

    def __repr__(self) -> str:
        return f"Model({self.provider.name}:{self.name})"

    def chat(
        self, messages: Sequence[Message], *, max_tokens: int = 512, temperature: float = 0.0
    ) -> ChatReply:
        """Ask once. ``messages`` in the canonical shape."""
        request = ChatRequest(messages, max_tokens=max_tokens, temperature=temperature)
        return self.provider.chat(self.name, request)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, temperature: float = 0.0
    ) -> Iterator[str]:
        """Ask once, answer in pieces."""
        request = ChatRequest(messages, max_tokens=max_tokens, temperature=temperature)
        return self.provider.chat_stream(self.name, request)


class Job:
    """A job in the ledger. Properties show what was known at the last look."""

    def __init__(self, bridge: Bridge, row: JobRow) -> None:
        self._bridge = bridge
        self.row = row

    def __repr__(self) -> str:
        return f"Job({self.id}, {self.provider}, {self.state})"

    @property
    def id(self) -> str:
        """The job's id in the ledger."""
        return self.row.id

    @property
    def provider(self) -> str:
        """The name of its provider."""
        return self.row.provider

    @property
    def state(self) -> State:
        """The neutral state."""
        return self.row.state

    @property
    def model(self) -> str | None:
        """The tuned model's name at the provider, once there is one."""
        return self.row.result_model

    @property
    def plan(self) -> Plan:
        """The plan it was made from."""
        return Plan.model_validate_json(self.row.plan)

    @property
    def _place(self) -> Provider:
        return self._bridge.provider_of(self.row)

    def refresh(self) -> Update:
        """Look once at the provider."""
        update = refresh(self.row, self._place, self._bridge.ledger)
        self.row = update.job
        return update

    def watch(self, interval: float | None = None) -> Iterator[Update]:
        """Look until it is final or needs a person; yields what each look brought."""
        for update in watch(
            self.row, self._bridge.provider_of, self._bridge.ledger, interval=interval
        ):
            self.row = update.job
            yield update

    def wait(self, interval: float | None = None) -> Job:
        """Wait for the end.

        Raises:
            JobFailed: where it failed or was cancelled; JobUncertain where only a person can
            tell; OperationFailed where it is paused.
        """
        for _ in self.watch(interval):
            pass
        self.require_success()
        return self

    def require_success(self) -> None:
        """Raise unless the job has succeeded; see :meth:`wait`."""
        if self.state is State.SUCCEEDED:
            return
        error = self.row.error or {}
        said = f": {error['message']}" if error.get("message") else ""
        if self.state is State.UNCERTAIN:
            raise JobUncertain(f"{self.id} is uncertain{said}", where=self.id)
        if self.state is State.PREPARING:
            raise OperationFailed(
                f"{self.id} is not at the provider yet{said}",
                hint=f"finish its submit with `ftbridge resume {self.id}`",
                where=self.id,
                code="unfinished",
            )
        if self.state is State.PAUSED:
            raise OperationFailed(
                f"{self.id} is paused ({self.row.raw_state}){said}",
                hint=f"let it go on with `ftbridge resume {self.id}`",
                where=self.id,
                code="paused",
            )
        hint = error.get("hint") or f"see `ftbridge events {self.id}`"
        raise JobFailed(f"{self.id} is {self.state}{said}", hint=hint, where=self.id)

    def resume(self) -> Job:
        """Bring it forward: an unfinished submit, a paused job, a dead local run."""
        self.row = control.resume(
            self.row, self._place, self._bridge.ledger, self._bridge.config.home
        )
        return self

    def cancel(self) -> Job:
        """Stop it for good; before the create, without any cost."""
        self.row = control.cancel(self.row, self._place, self._bridge.ledger)
        return self

    def resolve(self, remote_id: str | None) -> Job:
        """Settle an uncertain job: it is this one at the vendor, or (None) there is none."""
        self.row = control.resolve(self.row, self._place, self._bridge.ledger, remote_id)
        return self

    def purge(self, *, model: bool = False) -> Purged:
        """Delete its training data (and the tuned model) at the vendor and read back.

        Nothing is raised where the vendor fails to: see :meth:`Purged.require_all`.
        """
        home = self._bridge.config.home
        return purging.purge(self.row, self._place, self._bridge.ledger, home, model=model)

    def explain_policy(self) -> dict[str, Any]:
        """Why its data went where it went, what left, and what the policy would say today."""
        return verdict.explain(self.row, self._place, self._bridge.ledger)

    def delete(self) -> None:
        """Remove its record at the vendor, where the vendor allows that."""
        control.delete(self.row, self._place)

    def notify(self, target: str) -> bool:
        """Tell a command or an http(s) address of the end, unless somebody was told before.

        Raises:
            OperationFailed: where the target could not be reached, or refused.
        """
        return tell_once(target, self.row, self.to_dict(), self._bridge.ledger)

    def warnings(self) -> list[str]:
        """What looked wrong so far, each said once: unknown states, standstill, cost."""
        return self._bridge.ledger.history.warnings(self.id)

    def deployments(self) -> list[DeploymentRow]:
        """What of its model is deployed, or may be; each is billed by the hour."""
        return self._bridge.ledger.deployments.serving(self.id).running.get(self.id, [])

    def pause(self) -> Job:
        """Stop it so that it can go on."""
        self.row = control.pause(self.row, self._place, self._bridge.ledger)
        return self

    def events(self, after: int = 0) -> list[tuple[int, RemoteEvent]]:
        """The known events, oldest first, each with its number."""
        return self._bridge.ledger.history.events(self.id, after)

    def details(self) -> dict[str, Any]:
        """What the provider says of the job beyond the common fields, asked now."""
        return self._place.get(str(self.row.remote_id)).details

    def decided(self) -> dict[str, Setting]:
        """What the provider has settled on, each value with its origin, asked now."""
        return self._place.decided(str(self.row.remote_id))

    def checkpoints(self) -> list[RemoteCheckpoint]:
        """The states of its model so far, by step, asked now; see control.checkpoints."""
        return control.checkpoints(self.row, self._place)

    def metrics(self) -> list[RemoteMetric]:
        """The known metrics by step."""
        return self._bridge.ledger.history.metrics(self.id)

    def tuned(self) -> Model:
        """The model that came of it.

        Raises:
            OperationFailed: where there is none.
        """
        if not self.row.is_final:
            self.refresh()
        if self.model is None:
            raise OperationFailed(
                f"{self.id} is {self.state} and has no model",
                hint=f"see `ftbridge status {self.id}`",
                where=self.id,
                code="no_model",
            )
        return Model(self._place, self.model)

    def base(self) -> Model:
        """The model that it was tuned from."""
        return Model(self._place, self.row.model)

    def chat(self, messages: Sequence[Message], **settings: Any) -> ChatReply:
        """Ask the tuned model."""
        return self.tuned().chat(messages, **settings)

    def download(self, out: str | Path, *, merged: bool = False) -> Path:
        """Bring the weights to a new folder, as an adapter or merged into the base, with a card.

        Raises:
            ProviderError: where what came is not safe to keep (a pickle, a link that leads out).
        """
        self.tuned()
        remote_id = str(self.row.remote_id)
        place = self._place

        def fetch(folder: Path) -> Path:
            made = place.download(remote_id, folder, merged=merged)
            self._write_card(made if made.is_dir() else folder, place, merged)
            return made

        return weights.bring(fetch, Path(out))

    def _write_card(self, folder: Path, place: Provider, merged: bool) -> None:
        """Beside the weights: what they were made of and how, without a word of the data."""
        plan = self.plan
        ledger = self._bridge.ledger
        facts = model_card.Facts(
            row=self.row,
            plan=plan,
            base=place.base_facts(self.row.model),
            settings=place.decided(str(self.row.remote_id))
            or {
                name: Setting(setting.value, setting.origin)
                for name, setting in plan.settings.items()
            },
            evaluation=ledger.evaluations.latest(self.id),
            metrics=ledger.history.metrics(self.id),
            merged=merged,
        )
        model_card.write(folder, facts)

    def to_dict(self, serving: Serving | None = None) -> dict[str, Any]:
        """The JSON form of the CLI contract.

        Args:
            serving: what all jobs have deployed, where many are shown; else it is looked up.
        """
        row = self.row
        served = serving or self._bridge.ledger.deployments.serving(row.id)
        usd = json.loads(row.plan)["usd"]
        return {
            "job": row.id,
            "provider": row.provider,
            "state": str(row.state),
            "raw_state": row.raw_state,
            "stopping": row.stopping,
            "remote_id": row.remote_id,
            "parent_job": row.parent_job,
            "base_model": row.model,
            "model": row.result_model,
            "error": row.error,
            "progress": row.progress,
            "usd": {
                "low": _number(usd["low"]),
                "high": _number(usd["high"]),
                "unknown": usd["unknown"],
                "stale": any(line["stale"] for line in usd["lines"]),
            },
            "billed_usd": None if row.billed_micro is None else row.billed_micro / 1e6,
            "billed_tokens": row.billed_tokens,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "finished_at": row.finished_at,
            "tags": json.loads(row.spec)["tags"],
            **served.of(row.id),
        }


def _number(usd: str | None) -> float | None:
    return None if usd is None else float(usd)
