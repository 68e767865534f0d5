"""Calls made by a process of their own, which outlives ours: kill -9 loses no answer that is paid.

An answer that is on its way when the process that asked is killed is paid, and would have to be
asked for again. So a command (``FTBRIDGE_OUTLIVE=1``, which ``ftbridge`` sets for itself) lets a
process in a session of its own ask: when ours is gone it asks nothing new, waits for what is under
way, keeps that in the ledger, and ends. The next run waits for it (a lock a model), looks at what
is kept, and asks only the rest.

What is left: this second process being killed too, or the machine losing power. At most
:data:`UNDER_WAY` calls are under way at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from ftbridge import registry
from ftbridge.errors import FtbridgeError, OperationFailed, from_words, in_words
from ftbridge.evaluate.pricing import CallPrice
from ftbridge.files import private_dir
from ftbridge.job import Model
from ftbridge.jobs.ledger import Ledger
from ftbridge.provider import ChatReply, ChatRequest, Context, Provider

VARIABLE = "FTBRIDGE_OUTLIVE"
UNDER_WAY = 16


def wanted(provider: Provider) -> bool:
    """Whether calls there are made by a process of their own: in a command, where they are paid."""
    return provider.bills and os.name == "posix" and os.environ.get(VARIABLE) == "1"


def ask(
    ledger: Ledger,
    evaluation: str,
    model: Model,
    price: CallPrice,
    questions: Mapping[str, ChatRequest],
    on_kept: Callable[[str], None],
) -> None:
    """Let the other process ask and keep every answer.

    Args:
        questions: by the hash under which a reply is kept.
        on_kept: hears each hash as its reply is in the ledger.

    Raises:
        FtbridgeError: what went wrong there. OperationFailed: where that process died.
    """
    order = {
        "home": str(ledger.database.path.parent),
        "provider": model.provider.name,
        "options": dict(model.provider.context.options),
        "model": model.name,
        "evaluation": evaluation,
        "price": [None if usd is None else str(usd) for usd in (price.input, price.output)],
        "parent": os.getpid(),
        "questions": {content: vars(request) for content, request in questions.items()},
    }
    words = [sys.executable, "-P", "-c", f"from {__name__} import main; main()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        assert process.stdin and process.stdout
        with suppress(BrokenPipeError), process.stdin as stream:
            stream.write(json.dumps(order, default=list).encode())
        for line in process.stdout:
            told = json.loads(line)
            if "error" in told:
                raise from_words(told["error"])
            on_kept(told["kept"])
    if process.returncode:
        raise OperationFailed(
            f"the process that asks {model.name} has ended with {process.returncode}",
            hint="run the command again: what was answered is kept",
            where=model.name,
            code="asking_ended",
        )


def main() -> None:
    """The other process: one order from stdin, a line on stdout for each reply that is kept."""
    order = json.load(sys.stdin.buffer)
    try:
        _answer(order, order["parent"])
    except FtbridgeError as error:
        _tell({"error": in_words(error)})


def _answer(order: dict[str, Any], parent: int) -> None:
    home = Path(order["home"])
    provider = registry.load(order["provider"])(Context(home, order["options"]))
    ledger = Ledger(home)
    into, out = (None if usd is None else Decimal(usd) for usd in order["price"])
    price = CallPrice(into, out, "as ordered")
    with _alone(home, f"{provider.name} {provider.account} {order['model']}"):
        known = ledger.evaluations.cached(list(order["questions"]))
        for content in known:
            _tell({"kept": content})
        missing = [content for content in order["questions"] if content not in known]
        for start in range(0, len(missing), UNDER_WAY):
            if os.getppid() != parent:  # ours is gone: nothing new is asked
                return
            some = missing[start : start + UNDER_WAY]

            def keep(position: int, reply: ChatReply, some: list[str] = some) -> None:
                usd = price.of(reply.prompt_tokens, reply.completion_tokens)
                ledger.evaluations.keep(
                    some[position], provider.name, order["model"], reply, order["evaluation"], usd
                )
                _tell({"kept": some[position]})

            requests = [ChatRequest(**order["questions"][content]) for content in some]
            provider.chat_many(order["model"], requests, keep)


def _tell(line: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # nobody hears it any more; the ledger has it
        os.write(1, json.dumps(line).encode() + b"\n")


@contextmanager
def _alone(home: Path, name: str) -> Iterator[None]:
    """One asking process a model: the next one waits for the answers that are under way."""
    import fcntl

    folder = private_dir(home / "eval" / "asking")
    with (folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
