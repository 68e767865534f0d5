"""Estimates worked out by hand from vendors' documents, to the cent.

The first group are the vendors' own published examples, at the prices that those name; the rest are
jobs of our own at the prices of the book, with the vendor's rule beside each.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ftbridge
from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.rules import gpu_hours, job_minimum, training_hours
from ftbridge.cost.types import Quantity, TokenCount, Usd
from ftbridge.cost.use import Use
from ftbridge.jobs.spec import Adapter, DataRef, Hyperparameters, JobSpec, Method

CENT = Decimal("0.01")
AZURE = "MicrosoftDocs/azure-ai-docs fine-tuning-cost-management.md (2026-02-11)"
OPENAI = "platform.openai.com/docs/guides/fine-tuning, Estimate costs (2024-10)"
OPENAI_2023 = "openai.com/index/gpt-3-5-turbo-fine-tuning-and-api-updates (2023-08-22)"
TOGETHER = "docs.together.ai/docs/fine-tuning/pricing (2026-11-24)"
ORI = "docs.ori.co/fine-tuning/billing (2026-11-25)"


def priced(unit_prices: dict[str, str], *quantities: Quantity) -> Usd:
    """At prices that a document names; ``unit_prices``: item -> USD."""
    units = {"training_tokens": "usd_per_1m_tokens", "training_hour": "usd_per_hour",
             "hosting_hour": "usd_per_hour", "inference_input": "usd_per_1m_tokens",
             "inference_output": "usd_per_1m_tokens", "grader_input": "usd_per_1m_tokens",
             "grader_output": "usd_per_1m_tokens"}  # fmt: skip
    rows = [
        PriceRow.model_validate({
            "provider": "p", "model": "m", "item": item, "unit": units[item], "usd": usd,
            "source": "the document", "source_date": "2026-02-11", "seen": "2026-11-25",
            "evidence": "official",
        })
        for item, usd in unit_prices.items()
    ]  # fmt: skip
    return estimate(PriceBook(rows), "p", "m", "sft", quantities)


def tokens(count: int, epochs: int = 1) -> TokenCount:
    return TokenCount(low=count, high=count, n_epochs=epochs, grade="exact", counter="hand")


def millions(amount: str, item: str = "training_tokens", **more: Any) -> Quantity:
    number = Decimal(amount)
    return Quantity(name=item, item=item, low=number, high=number, formula="hand", **more)


def cents(usd: Usd) -> Decimal:
    assert usd.low is not None and usd.low == usd.high and not usd.unknown
    return usd.high.quantize(CENT)


# -- the vendors' own examples ---------------------------------------------------------------------

PUBLISHED = {
    f"SFT: 1M tokens, 2 epochs, 2 USD per 1M; {AZURE}": (
        priced({"training_tokens": "2"}, millions("2")), "4.00"),
    f"RFT: 4 hours at 100 USD; {AZURE}": (
        priced({"training_hour": "100"}, training_hours(Decimal(4))), "400.00"),
    f"RFT with a grader: 5M in at 1.1, 4.9M out at 4.4; {AZURE}": (
        priced({"training_hour": "100", "grader_input": "1.1", "grader_output": "4.4"},
               training_hours(Decimal(4)), millions("5", "grader_input"),
               millions("4.9", "grader_output")), "427.06"),
    f"a month of a chatbot: 1.70 an hour, 20M in at 1.10, 40M out at 4.40; {AZURE}": (
        priced({"hosting_hour": "1.70", "inference_input": "1.10", "inference_output": "4.40"},
               *Use(1, 10_000, Decimal(2000), Decimal(4000)).tokens(),
               *Use(1, 0, Decimal(0), Decimal(0)).hosting([millions("1", "hosting_hour")])),
        "1422.00"),
    f"gpt-3.5-turbo: 100,000 tokens, 3 epochs, 0.008 per 1K; {OPENAI_2023}": (
        priced({"training_tokens": "8"}, millions("0.3")), "2.40"),
    f"gpt-4o-mini: 100,000 tokens, 3 epochs; {OPENAI}": (
        priced({"training_tokens": "3"}, millions("0.3")), "0.90"),
    f"8B: 5M tokens, 3 epochs, 1M validation tokens, 0.46 per 1M; {ORI}": (
        priced({"training_tokens": "0.46"}, millions("15"), millions("1")), "7.36"),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_examples(name: str) -> None:
    usd, expected = PUBLISHED[name]
    assert cents(usd) == Decimal(expected)


# -- jobs at the book's prices, billed by the providers' own rules ---------------------------------


def job(
    provider: str,
    model: str,
    count: int,
    epochs: int = 1,
    *,
    method: Method = Method.SFT,
    adapter: Adapter = Adapter.MANAGED,
    use: Use | None = None,
    options: dict[str, str] | None = None,
    examples: int = 100,
) -> Usd:
    """What the provider bills at the shipped prices, of the training lines or with a use."""
    bridge = ftbridge.Bridge()
    place = bridge.provider(provider, options)
    spec = JobSpec(
        provider=provider,
        model=model,
        method=method,
        adapter=adapter,
        options=options or {},
        hyperparameters=Hyperparameters(n_epochs=epochs),
        training=DataRef(path="x", sha256="x", kind="chat", examples=examples, bytes=1),
    )
    lines = [line for line in place.billing(spec, tokens(count, epochs)) if line.training]
    lines += place.serving(spec, use) if use else []
    return estimate(bridge.prices, provider, model, method, lines, adapter=adapter)


LORA, FULL = Adapter.LORA, Adapter.FULL
MILLION = 1_000_000
MONTH = Use(1, 100_000, Decimal(500), Decimal(200))
"""100,000 calls: 50 million tokens in, 20 million out."""


def jobs() -> dict[str, tuple[Usd, str]]:
    """Each with its working. Sources of the prices: the rows themselves."""
    nemo, small = "open-mistral-nemo", "mistral-small-latest"
    eight, seventy = ("accounts/fireworks/models/llama-v3p1-8b-instruct",
                      "accounts/fireworks/models/llama-v3p3-70b-instruct")  # fmt: skip
    qwen, oss = "Qwen/Qwen3.5-9B", "openai/gpt-oss-120b"
    large = {"region": "eastus2", "training_type": "standard"}
    return {
        "openai gpt-4.1: 2.5M x 3 x 25": (
            job("openai", "gpt-4.1-2025-04-14", 2_500_000, 3), "187.50"),
        "openai gpt-4.1-mini: 1,234,567 x 4 x 5": (
            job("openai", "gpt-4.1-mini-2025-04-14", 1_234_567, 4), "24.69"),
        "openai gpt-4o-mini: 100,000 x 3 x 3": (
            job("openai", "gpt-4o-mini-2024-07-18", 100_000, 3), "0.90"),
        "openai gpt-4o: 640,000 x 2 x 25": (
            job("openai", "gpt-4o-2024-08-06", 640_000, 2), "32.00"),
        "openai gpt-4.1-mini in use: 5 + 50M x 0.80 + 20M x 3.20": (
            job("openai", "gpt-4.1-mini-2025-04-14", MILLION, use=MONTH), "109.00"),
        "azure gpt-4.1 global: 1M x 2 x 25": (
            job("azure_openai", "gpt-4.1-2025-04-14", MILLION, 2,
                options={"training_type": "global"}), "50.00"),
        "azure gpt-4.1 developer tier: half of global": (
            job("azure_openai", "gpt-4.1-2025-04-14", MILLION, 2,
                options={"training_type": "developer"}), "25.00"),
        "azure gpt-4.1-mini eastus2: 2M x 5.5": (
            job("azure_openai", "gpt-4.1-mini-2025-04-14", 2 * MILLION, options=large), "11.00"),
        "azure gpt-4o-mini global: 3M x 2 x 3": (
            job("azure_openai", "gpt-4o-mini-2024-07-18", 3 * MILLION, 2,
                options={"training_type": "global"}), "18.00"),
        "azure gpt-oss-20b global: 10M x 3.6": (
            job("azure_openai", "gpt-oss-20b", 10 * MILLION,
                options={"training_type": "global"}), "36.00"),
        "azure gpt-4.1 global a month: 25 + 1.70 x 720 + 50M x 2 + 20M x 8": (
            job("azure_openai", "gpt-4.1-2025-04-14", MILLION, use=MONTH,
                options={"training_type": "global", "deployment_type": "global"}), "1509.00"),
        "azure developer deployment: no hourly fee: 25 + 50M x 2 + 20M x 8": (
            job("azure_openai", "gpt-4.1-2025-04-14", MILLION, use=MONTH,
                options={"training_type": "global", "deployment_type": "developer"}), "285.00"),
        "together Qwen3.5-9B LoRA SFT, the document's 8192 x 8 x 1000 tokens: 65.536M x 0.34": (
            job("together", qwen, 65_536_000, adapter=LORA), "22.28"),
        "together Qwen3.5-9B LoRA DPO: 10M x 0.84": (
            job("together", qwen, 10 * MILLION, method=Method.DPO, adapter=LORA), "8.40"),
        "together gpt-oss-120b LoRA SFT: 4M x 3 x 2.50": (
            job("together", oss, 4 * MILLION, 3, adapter=LORA), "30.00"),
        "together without packing: 1,000 rows x 4096 x 2 epochs x 0.34": (
            job("together", qwen, 300_000, 2, adapter=LORA, examples=1000,
                options={"packing": "false", "max_seq_length": "4096"}), "2.79"),
        "fireworks 8B LoRA SFT: 5M x 2 x 0.50": (
            job("fireworks", eight, 5 * MILLION, 2, adapter=LORA), "5.00"),
        "fireworks 8B full SFT: 5M x 2 x 1.00": (
            job("fireworks", eight, 5 * MILLION, 2, adapter=FULL), "10.00"),
        "fireworks 70B LoRA SFT, a job that was billed 40.59: 13.53M x 3": (
            job("fireworks", seventy, 13_530_000, adapter=LORA), "40.59"),
        "fireworks 70B LoRA DPO: 2M x 6": (
            job("fireworks", seventy, 2 * MILLION, method=Method.DPO, adapter=LORA), "12.00"),
        "fireworks 8B with a month on one H100: 0.50 + 8 x 720": (
            job("fireworks", eight, MILLION, adapter=LORA, use=MONTH), "5760.50"),
        "mistral NeMo below the minimum: 0.2M x 1 is raised to 4": (
            job("mistral", nemo, 200_000), "4.00"),
        "mistral small above the minimum: 3M x 2 x 3": (
            job("mistral", small, 3 * MILLION, 2), "18.00"),
        "mistral NeMo a month: 4 + 2 storage + 50M x 0.15 + 20M x 0.15": (
            job("mistral", nemo, MILLION, use=MONTH), "16.50"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Usd, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FTBRIDGE_HOME", str(tmp_path_factory.mktemp("home")))
        return jobs()


def test_jobs_by_hand(worked: dict[str, tuple[Usd, str]]) -> None:
    assert {name: cents(usd) for name, (usd, _) in worked.items()} == {
        name: Decimal(expected) for name, (_, expected) in worked.items()
    }


# -- vendors whose price lists alone are known -----------------------------------------------------


def listed(provider: str, model: str, *lines: Quantity, method: str = "sft") -> Decimal:
    return cents(estimate(ftbridge.Bridge().prices, provider, model, method, lines))


NOVA = "amazon.nova-2-lite-v1:0:256k"


@pytest.mark.parametrize(
    ("vendor", "model", "lines", "expected"),
    [
        ("bedrock", NOVA, [millions("2")], "7.56"),  # 2M x 3.78
        ("bedrock", NOVA, [millions("1"), *Use(3, 0, Decimal(0), Decimal(0)).storage()],
         "9.63"),  # 3.78 + 3 x 1.95
        ("bedrock", NOVA, [millions("1"), *MONTH.tokens()], "68.78"),  # + 50 x 0.30 + 20 x 2.50
        ("bedrock", NOVA, [*Use(1, 0, Decimal(0), Decimal(0)).hosting(
            [millions("1", "hosting_hour")])], "43560.00"),  # 720 x 60.50
        ("vertex", "gemini-2.5-flash", [millions("6")], "30.00"),  # 6M x 5
        ("vertex", "gemini-2.5-pro", [millions("0.4")], "10.00"),  # 0.4M x 25
        ("sagemaker_compute", "ml.g5.48xlarge",
         [gpu_hours(Decimal(4), machine="ml.g5.48xlarge")], "65.15"),
        ("modal", "H100", [gpu_hours(Decimal(10), machine="H100")], "39.49"),  # 36,000 s x .001097
        ("huggingface", "1x Nvidia L4", [gpu_hours(Decimal("2.5"), machine="1x Nvidia L4")],
         "2.00"),  # 2.5 x 0.80
        ("replicate", "H100", [gpu_hours(Decimal(1), machine="H100")], "5.49"),  # 3,600 x .001525
        ("runpod", "H100 SXM 80GB", [gpu_hours(Decimal(3), machine="H100 SXM 80GB")],
         "11.97"),  # 3 x 3.99
        ("azure_ml", "Standard_NC24ads_A100_v4",
         [gpu_hours(Decimal(8), machine="Standard_NC24ads_A100_v4")], "29.38"),  # 8 x 3.673
    ],
)  # fmt: skip
def test_price_lists_by_hand(
    vendor: str, model: str, lines: list[Quantity], expected: str, closed_world: Path
) -> None:
    """Sources: the rows of each price list (`ftbridge prices --provider NAME`). SageMaker's 65.15
    for four hours of ml.g5.48xlarge is what an AWS post of 2026-04-16 reports."""
    assert listed(vendor, model, *lines) == Decimal(expected)


def test_reinforcement_by_the_hour_at_azure() -> None:
    hours = training_hours(Decimal("2.254"), tier="global")  # hundredths of an hour are billed
    usd = listed("azure_openai", "o4-mini-2025-04-16", hours, method="rl")
    assert usd == Decimal("225.00")


def test_a_minimum_is_a_line_of_its_own() -> None:
    usd = estimate(
        ftbridge.Bridge().prices, "mistral", "open-mistral-nemo", "sft",
        [millions("0.5"), job_minimum()],
    )  # fmt: skip
    assert [line.high for line in usd.lines] == [Decimal("0.5"), Decimal("3.5")]
    assert usd.high == sum(line.high for line in usd.lines)


def test_there_are_enough(worked: dict[str, tuple[Usd, str]]) -> None:
    assert len(PUBLISHED) + len(worked) + 12 >= 25
