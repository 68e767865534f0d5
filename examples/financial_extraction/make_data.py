"""Make this folder's SYNTHETIC data: `python make_data.py` writes the same bytes every time.

No real company, no real figure: sentences are put together from the parts below.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from synthetic import Made, distinct, halves, write  # noqa: E402

TRAIN, HELDOUT, FEWSHOT, SEED = 240, 80, 6, 7
FIRST = ["Alder", "Brightwater", "Corvid", "Dunmore", "Eastgate", "Fenwick", "Glasson", "Harrow",
         "Ironbridge", "Juniper", "Kestrel", "Larkfield", "Marlow", "Northwind", "Oakhurst",
         "Pendle", "Quarry", "Redfern", "Silverlake", "Thornbury", "Umber", "Valewood",
         "Westmoor", "Yarrow"]  # fmt: skip
LAST = ["Foods", "Logistics", "Motors", "Energy", "Textiles", "Software", "Pharma", "Mining",
        "Paper", "Shipping", "Optics", "Rail"]  # fmt: skip
METRICS = {"revenue": ["revenue", "sales", "turnover"],
           "operating_profit": ["operating profit", "operating income"],
           "net_profit": ["net profit", "profit after tax"],
           "orders": ["new orders", "order intake"]}  # fmt: skip
CURRENCIES = {"EUR": ["{} million euros", "EUR {}m"], "USD": ["{} million dollars", "USD {}m"],
              "GBP": ["{} million pounds", "GBP {}m"], "CHF": ["CHF {} million"]}  # fmt: skip
PERIODS = {f"{year}-{part}": [said.format(year) for said in texts]
           for year in (2021, 2022, 2023, 2024)
           for part, texts in {
               "Q1": ["the first quarter of {}", "Q1 {}"],
               "Q2": ["the second quarter of {}", "Q2 {}"],
               "Q3": ["the third quarter of {}", "Q3 {}"],
               "Q4": ["the final quarter of {}", "Q4 {}"],
               "FY": ["the full year {}", "fiscal {}"]}.items()}  # fmt: skip
SENTENCES = [
    "{company} said {metric} in {period} {moved} to {amount}.{aside}",
    "For {period}, {company} reported {metric} of {amount}, {change}.{aside}",
    "{metric} at {company} {moved} in {period}, reaching {amount}.{aside}",
    "{aside} At {company}, {metric} came to {amount} in {period}, {change}.",
    "{company} closed {period} with {metric} of {amount} ({change}).{aside}",
    "In {period} the {metric} of {company} stood at {amount}, {change}.{aside}",
    "Results for {period} show {company} with {amount} of {metric}, {change}.{aside}",
    "{amount} of {metric} in {period}: {company} {moved}.{aside}",
    "Analysts hoped for more: {company} posted {amount} in {metric} for {period}, {change}.{aside}",
]  # fmt: skip
ASIDES = [" The dividend stays unchanged.", " Shares opened flat.", " A plant in the north closed.",
          " The chief executive called it a solid period.", " Two sites will be merged.",
          " Hiring was paused.", " Freight rates eased.", " The outlook was not changed.",
          " Staff numbers were stable.", ""]  # fmt: skip
SYSTEM = (
    "Extract the figure as JSON with the keys company, metric (revenue, operating_profit, "
    "net_profit or orders), period (like 2023-Q1 or 2023-FY), amount_millions, currency and "
    "change_percent. Answer with the JSON and nothing else."
)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["company", "metric", "period", "amount_millions", "currency", "change_percent"],
    "properties": {
        "company": {"type": "string"},
        "metric": {"enum": list(METRICS)},
        "period": {"type": "string", "pattern": "^20[0-9]{2}-(Q[1-4]|FY)$"},
        "amount_millions": {"type": "number"},
        "currency": {"enum": list(CURRENCIES)},
        "change_percent": {"type": "number"},
    },
}


def main() -> None:
    """Write train, heldout and fewshot.jsonl and the schema beside this script."""
    rng = random.Random(SEED)

    def report(companies: list[str]) -> Made:
        company = rng.choice(companies)
        metric, period = rng.choice(list(METRICS)), rng.choice(list(PERIODS))
        currency, amount = rng.choice(list(CURRENCIES)), round(rng.uniform(3, 900), 1)
        change = round(rng.uniform(-30, 40), 1)
        size = f"{abs(change)} percent"
        text = rng.choice(SENTENCES).format(
            company=company,
            metric=rng.choice(METRICS[metric]),
            period=rng.choice(PERIODS[period]),
            amount=rng.choice(CURRENCIES[currency]).format(amount),
            moved=f"{'rose' if change >= 0 else 'fell'} by {size}",
            change=f"{'up' if change >= 0 else 'down'} {size} on the year",
            aside=rng.choice(ASIDES),
        )
        answer = {"company": company, "metric": metric, "period": period,
                  "amount_millions": amount, "currency": currency,
                  "change_percent": change}  # fmt: skip
        text = text.strip()
        return text[0].upper() + text[1:], json.dumps(answer), {}

    seen, unseen = halves(f"{first} {last}" for last in LAST for first in FIRST)
    known: list[frozenset[object]] = []
    train = distinct(lambda: report(seen), TRAIN, known)
    heldout = distinct(lambda: report(unseen), HELDOUT, known)
    sides = {"train": train, "heldout": heldout, "fewshot": train[:FEWSHOT]}
    write(HERE, SYSTEM, sides, SEED)
    schema = json.dumps(SCHEMA, indent=1) + "\n"
    (HERE / "schema.json").write_text(schema, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
