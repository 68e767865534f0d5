"""Evaluations and the cache of their calls, so that no answer is paid for twice."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ftbridge import clock
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.schema import eval_calls, evaluations
from ftbridge.provider import ChatReply


class Evaluations:
    """The tables evaluations and eval_calls."""

    def __init__(self, database: Database) -> None:
        self._db = database

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

    def cached(self, contents: list[str]) -> dict[str, ChatReply]:
        """The known replies among these call hashes."""
        found = {}
        with self._db.read() as connection:
            for start in range(0, len(contents), 500):
                piece = contents[start : start + 500]
                query = select(eval_calls.c.content, eval_calls.c.reply)
                for row in connection.execute(query.where(eval_calls.c.content.in_(piece))):
                    data = json.loads(row.reply)
                    found[row.content] = ChatReply(
                        **data | {"tool_calls": tuple(data["tool_calls"])}
                    )
        return found

    def keep(self, content: str, provider: str, model: str, reply: ChatReply) -> None:
        """Commit one reply."""
        with self._db.write() as connection:
            connection.execute(
                sqlite_insert(eval_calls)
                .values(
                    content=content,
                    provider=provider,
                    model=model,
                    reply=json.dumps(asdict(reply)),
                    prompt_tokens=reply.prompt_tokens,
                    completion_tokens=reply.completion_tokens,
                    seconds=reply.seconds,
                    created_at=clock.stamp(),
                )
                .on_conflict_do_nothing()
            )
