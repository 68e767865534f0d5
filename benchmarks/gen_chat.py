"""Synthetic chats for measurements: the same file for the same arguments.

    python benchmarks/gen_chat.py OUT.jsonl [--n 200000] [--seed 7] [--tools 0.2] [--bad 0]

About 2 KB a chat: 60 % with a system turn, one to six pairs of turns, a fifth with tools, an
eighth of the texts with other scripts or emoji, some code and lists, 1 % exact repetitions.
``--bad`` spoils that share of the lines, each in one of seven ways.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

_LIST = (
    "account address agent answer archive balance basket board branch budget buffer button "
    "cache calendar carrier change charge client clause colour column contract copy cost "
    "country course customer data date deadline delivery deposit detail device document draft "
    "driver engine error event exchange export fee field file filter folder format function "
    "gateway group guide header holiday image index invoice item journey label ledger letter "
    "level limit list login margin market member message metric model month network notice "
    "number office option order output package page parcel partner password payment period "
    "phone plan policy price process product profile project quarter query quote rate reason "
    "receipt record refund region release report request result return review role route rule "
    "sample schedule screen search section seller server service session setting share signal "
    "size source stage statement status step stock store summary supplier support system table "
    "target tariff task tax team term test ticket time token tool total track transfer trial "
    "unit update upload user value vendor version visit voucher warehouse week window"
)
WORDS = _LIST.split()
OTHER = (
    "订单已经发货了。", "領収書を送ってください。", "Проверьте, пожалуйста, адрес.",
    "أرسل الفاتورة من فضلك.",
    "भुगतान हो गया है।", "Où est mon colis ?", "Schöne Grüße aus Köln!", "배송이 늦어요.",
    "👍🏽 done 🚚",
    "ขอบคุณค่ะ", "చెల్లింపు పూర్తయింది",
)  # fmt: skip
CODE = "```python\ntotal = {k: sum(v) for k, v in rows.items()}\nprint(total)\n```"


def _tool(name: str, description: str, properties: dict[str, Any], required: list[str]) -> Any:
    parameters = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS = [
    _tool("find_parcel", "Where a parcel is.",
          {"code": {"type": "string"}, "history": {"type": "boolean"}}, ["code"]),
    _tool("search_help", "Search the help pages.",
          {"text": {"type": "string"}, "limit": {"type": "integer"}}, ["text"]),
]  # fmt: skip


def sentence(r: Random) -> str:
    """Six to eighteen words."""
    words = r.choices(WORDS, k=r.randint(6, 18))
    return f"{words[0].capitalize()} {' '.join(words[1:])}{r.choice('...?!:')}"


def text(r: Random, low: int, high: int) -> str:
    """A text of so many words or a few more, sometimes with a figure, other scripts, code."""
    wanted, parts, have = r.randint(low, high), [], 0
    while have < wanted:
        parts.append(sentence(r))
        have += parts[-1].count(" ") + 1
        if r.random() < 0.05:
            parts.append(f"{r.randint(1, 9999)}.{r.randint(0, 99):02} EUR, {r.getrandbits(48):x}")
    kind = r.random()
    if kind < 0.12:
        parts += r.choices(OTHER, k=r.randint(1, 6))
    joint = "\n- " if 0.16 <= kind < 0.2 else " "
    return joint.join(parts) + (f"\n\n{CODE}" if 0.12 <= kind < 0.16 else "")


def calls(r: Random) -> list[dict[str, Any]]:
    """A call and its result."""
    name = r.choice(["find_parcel", "search_help"])
    if name == "find_parcel":
        arguments = {"code": f"P{r.randint(10**6, 10**7)}", "history": r.random() < 0.5}
    else:
        arguments = {"text": text(r, 3, 6), "limit": r.randint(1, 9)}
    call = f"call_{r.getrandbits(48):012x}"
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    result = json.dumps({"ok": True, "text": text(r, 8, 30)}, ensure_ascii=False)
    return [
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": call, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call, "content": result},
    ]  # fmt: skip


def chat(r: Random, tools: float) -> dict[str, Any]:
    """One conversation."""
    turns = [{"role": "system", "content": text(r, 10, 40)}] if r.random() < 0.6 else []
    with_tools = r.random() < tools
    pairs = 1
    while pairs < 6 and r.random() < 0.5:
        pairs += 1
    for _ in range(pairs):
        turns.append({"role": "user", "content": text(r, 8, 60)})
        if with_tools and r.random() < 0.7:
            turns += calls(r)
        turns.append({"role": "assistant", "content": text(r, 15, 110)})
    return {"messages": turns} | ({"tools": TOOLS} if with_tools else {})


def spoilt(r: Random, data: dict[str, Any]) -> str:
    """The chat as a line that no reader may take."""
    kind = r.randrange(7)
    if kind == 0:
        data["messages"][0]["role"] = "narrator"
    elif kind == 1:
        data["messages"].append({"role": "user", "content": "and then?"})
    elif kind == 2:
        data["messages"][-1]["content"] = 7
    elif kind == 3:
        data["messages"] = []
    elif kind == 4:
        data["mesages"] = []
    elif kind == 5:
        del data["messages"][-1]["content"]
    line = json.dumps(data, ensure_ascii=False)
    return line[: -r.randint(1, 40)] if kind == 6 else line


def lines(n: int, seed: int, tools: float = 0.2, bad: float = 0.0) -> Iterator[str]:
    """The lines of a file."""
    r, before = Random(seed), ""
    for _ in range(n):
        if not before or r.random() >= 0.01:
            data = chat(r, tools)
            wrong = bad and r.random() < bad
            before = spoilt(r, data) if wrong else json.dumps(data, ensure_ascii=False)
        yield before + "\n"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Write synthetic chats.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--n", type=int, default=200_000, help="how many lines")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tools", type=float, default=0.2, help="share of chats with tools")
    parser.add_argument("--bad", type=float, default=0.0, help="share of spoilt lines")
    wanted = parser.parse_args()
    with wanted.out.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(lines(wanted.n, wanted.seed, wanted.tools, wanted.bad))


if __name__ == "__main__":
    main()
