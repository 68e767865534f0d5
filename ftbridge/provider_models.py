"""What a provider may do with a model once there is one: ask it, serve it, bring it, delete it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from decimal import Decimal
from pathlib import Path

from ftbridge.cost.types import Quantity
from ftbridge.cost.use import Use
from ftbridge.errors import Unsupported
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import CheckedStage
from ftbridge.provider_base import ProviderBase
from ftbridge.shapes import BaseFacts, ChatReply, ChatRequest


class ModelOperations(ProviderBase):
    """The part of :class:`ftbridge.provider.Provider` about models."""

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """Ask a base or tuned model."""
        raise self.unsupported("chat")

    def chat_many(
        self,
        model: str,
        requests: Sequence[ChatRequest],
        on_reply: Callable[[int, ChatReply], None],
        workers: int = 8,
    ) -> None:
        """Ask many prompts; ``on_reply(index, reply)`` comes as each is answered, in any order.

        After a failure no more are asked, and what was answered by then still comes.
        """
        with ThreadPoolExecutor(workers) as pool:
            asked = {pool.submit(self.chat, model, r): index for index, r in enumerate(requests)}
            failed: BaseException | None = None
            try:
                for future in as_completed(asked):
                    if future.cancelled():
                        continue
                    if error := future.exception():
                        failed = failed or error
                        for other in asked:  # left in the queue, whose workers tell of it
                            other.cancel()
                    else:
                        on_reply(asked[future], future.result())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        if failed:
            raise failed

    def log_likelihoods(
        self, model: str, requests: Sequence[ChatRequest], texts: Sequence[str]
    ) -> list[float]:
        """Of each given answer (``texts``) the mean log-likelihood of its tokens, end of turn
        included, in nats.

        No vendor's chat interface scores an answer that is given to it.
        """
        raise Unsupported(
            f"{self.name} does not show how likely a given answer is to a model",
            hint="log_likelihood is measured on this machine, with local models",
            where="log_likelihood",
        )

    def model_version(self, model: str) -> str:
        """What tells two contents under one name apart; vendors' names never change content."""
        return ""

    def base_facts(self, model: str) -> BaseFacts:
        """What a model card says of a base model; by default its name alone."""
        return BaseFacts(model)

    def model_folder(self, model: str) -> Path | None:
        """Where a base model's files lie on this machine, if they do; nothing is fetched."""
        return None

    def chat_stream(self, model: str, request: ChatRequest) -> Iterator[str]:
        """The answer in pieces; by default in one."""
        yield self.chat(model, request).text

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """Bring the weights to a local folder, as an adapter or merged into the base."""
        raise self.unsupported("download")

    def import_weights(self, stage: CheckedStage, names: Sequence[str], name: str) -> str:
        """Let the vendor serve weights of one's own; the name to ask for.

        Args:
            stage: the files of the folder; ``names`` are theirs in it, in the same order.
        """
        raise Unsupported(
            f"{self.name} serves no weights of one's own through ftbridge",
            hint="`ftbridge serve` does, on this machine",
            where="import_weights",
        )

    def deploy(self, model: str) -> str:
        """Make the tuned model answer; returns the name to ask for.

        Asked again for a model that is deployed already, it makes no second deployment: the
        name follows from the model, or the deployment is looked for first.
        """
        raise self.unsupported("deploy")

    def hosting(self, base: str) -> list[Quantity]:
        """What one hour of a deployment bills, of a model tuned from ``base``; empty: nothing.

        The common rule: one hour at the price of the item ``hosting_hour``.
        """
        hour = Decimal(1)
        return [
            Quantity(
                name="hosting", item="hosting_hour", low=hour, high=hour, formula="1 hour",
                training=False,
            )
        ]  # fmt: skip

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """What the tuned model bills over a horizon of use.

        The common rule: each hour of its deployment, where it needs one, and every token.
        """
        hour = self.hosting(spec.model) if self.supports("deploy") else []
        return [*use.hosting(hour), *use.tokens()]

    def undeploy(self, model: str) -> None:
        """Stop a deployment and its bill; the model stays, and can be deployed again.

        A deployment that is gone already is what was wanted.
        """
        raise self.unsupported("undeploy")

    def delete_model(self, model: str) -> None:
        """Delete the tuned model at the vendor for good; the job's record is left.

        A model that is gone already is what was wanted.
        """
        raise self.unsupported("delete_model")
