"""Evaluations and the cache of their calls, so that no answer is paid for twice.

A reply may repeat what the model was tuned on: it lies in a file of its own (``replies.py``).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ftbridge import clock
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.replies import Replies
from ftbridge.jobs.ledger.reservations import micro
from ftbridge.jobs.ledger.schema import eval_calls, evaluations
from ftbridge.provider import ChatReply


class Evaluations:
    """The tables evaluations and eval_calls."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._replies = Replies(database.path.parent)

    def begin(self, evaluation: dict[str, Any]) -> None:
        """Record that an evaluation starts; ``evaluation`` holds the table's columns."""
        with self._db.write() as connection:
            connection.execute(insert(evaluations).values(created_at=clock.stamp(), **evaluation))

    def finish(self, evaluation_id: str, result: dict[str, Any]) -> None:
        """Record its result."""
        with self._db.write() as connection:
            connection.execute(
                update(evaluations)
                .where(evaluations.c.id == evaluation_id)
                .values(result=json.dumps(result), finished_at=clock.stamp())
            )

    def of_job(self, job_id: str) -> list[dict[str, Any]]:
        """The results of a job's finished evaluations, newest first."""
        query = (
            select(evaluations.c.result)
            .where(evaluations.c.job_id == job_id, evaluations.c.result.is_not(None))
            .order_by(evaluations.c.finished_at.desc())
        )
        with self._db.read() as connection:
            return [json.loads(text) for text in connection.execute(query).scalars()]

    def latest(self, job_id: str, baseline: str | None = None) -> dict[str, Any] | None:
        """The result of a job's latest finished evaluation, against one baseline or any."""
        query = (
            select(evaluations.c.result)
            .where(evaluations.c.job_id == job_id, evaluations.c.finished_at.is_not(None))
            .order_by(evaluations.c.finished_at.desc())
            .limit(1)
        )
        if baseline is not None:
            query = query.where(evaluations.c.baseline == baseline)
        with self._db.read() as connection:
            text = connection.execute(query).scalar()
        return json.loads(text) if text else None

    def cached(self, contents: list[str]) -> dict[str, ChatReply]:
        """The known replies among these call hashes."""
        found = {}
        with self._db.read() as connection:
            for start in range(0, len(contents), 500):
                piece = contents[start : start + 500]
                query = select(eval_calls.c.content).where(eval_calls.c.content.in_(piece))
                for content in connection.execute(query).scalars():
                    text = self._replies.read(content)
                    if text is not None:
                        data = json.loads(text)
                        calls = tuple(data["tool_calls"])
                        found[content] = ChatReply(**data | {"tool_calls": calls})
        return found

    def keep(
        self,
        content: str,
        provider: str,
        model: str,
        reply: ChatReply,
        evaluation_id: str,
        usd: Decimal | None = None,
    ) -> None:
        """Commit one reply, which evaluation asked for it, and what it cost where that is known."""
        self._replies.write(content, json.dumps(asdict(reply)))
        with self._db.write() as connection:
            connection.execute(
                sqlite_insert(eval_calls)
                .values(
                    content=content,
                    provider=provider,
                    model=model,
                    prompt_tokens=reply.prompt_tokens,
                    completion_tokens=reply.completion_tokens,
                    seconds=reply.seconds,
                    micro_usd=micro(usd),
                    created_at=clock.stamp(),
                    evaluation_id=evaluation_id,
                )
                .on_conflict_do_nothing()
            )

    def forget(self, job_id: str) -> int:
        """Delete the replies of a job's evaluations; their scores stay.

        Returns:
            How many.
        """
        mine = select(evaluations.c.id).where(evaluations.c.job_id == job_id)
        asked = eval_calls.c.evaluation_id.in_(mine)
        with self._db.write() as connection:
            contents = list(connection.execute(select(eval_calls.c.content).where(asked)).scalars())
            for content in contents:
                self._replies.remove(content)
            connection.execute(delete(eval_calls).where(asked))
        return len(contents)
