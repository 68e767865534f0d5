"""SageMakerPublicHub, as far as customization asks it: DescribeHubContent and ListHubContents.

The document's keys that are used (GatedBucket, RecipeCollection with CustomizationTechnique, Peft
and SequenceLength) are those that github.com/aws/sagemaker-python-sdk reads (sagemaker-train,
finetune_utils.py, seen 2026-11-25). The models are a sample: two names are from that repository,
the others are a likeness, and which technique each one has is unverified.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .errors import not_found
from .paging import page
from .store import REGION, Emulator

HUB = "SageMakerPublicHub"
LENGTHS = tuple(f"{2**power}K" for power in range(11))
ALL = ("SFT", "DPO", "RLVR", "RLAIF")


@dataclass(frozen=True)
class Content:
    """A model of the hub."""

    name: str
    techniques: tuple[str, ...]
    gated: bool = False
    version: str = "1.0.0"

    @property
    def arn(self) -> str:
        """Its ARN, of the service's own account."""
        return f"arn:aws:sagemaker:{REGION}:aws:hub-content/{HUB}/Model/{self.name}/{self.version}"

    @property
    def document(self) -> dict[str, Any]:
        """What the hub says of it."""
        recipes = [
            {
                "Name": f"{self.name}-{technique.lower()}-lora",
                "CustomizationTechnique": technique,
                "Peft": "LORA",
                "SequenceLength": "4K",
                "ServerlessMeteringType": "Token-based",
                "SmtjRecipeTemplateS3Uri": f"s3://sandbox-hub/{self.name}/{technique}.yaml",
            }
            for technique in self.techniques
        ]
        return {"GatedBucket": self.gated, "RecipeCollection": recipes}


CONTENTS = {
    each.name: each
    for each in (
        Content("meta-textgeneration-llama-3-1-8b-instruct", ALL, gated=True),
        Content("openai-reasoning-gpt-oss-20b", ALL),
        Content("huggingface-llm-qwen2-5-7b-instruct", ALL),
        Content("nova-textgeneration-lite-v2", ("SFT", "DPO", "RLVR")),
        Content("huggingface-text-embedding-plain", ()),
    )
}


def by_arn(arn: str) -> Content | None:
    """A model by its ARN, whatever the version: the service takes the latest (service model)."""
    head, _, rest = arn.partition(f":hub-content/{HUB}/Model/")
    return CONTENTS.get(rest.partition("/")[0]) if head and rest else None


async def describe(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DescribeHubContent."""
    hub, content = params["HubName"], CONTENTS.get(params["HubContentName"])
    known = hub.rpartition("/")[2] == HUB and params["HubContentType"] == "Model"
    if not known or content is None:
        raise not_found(f"Hub content {params['HubContentName']} does not exist")
    if params.get("HubContentVersion", content.version) != content.version:
        raise not_found(f"{content.name} has no version {params['HubContentVersion']}")
    return _summary(content) | {
        "HubName": HUB,
        "HubArn": f"arn:aws:sagemaker:{REGION}:aws:hub/{HUB}",
        "HubContentDocument": json.dumps(content.document),
    }


async def list_contents(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """ListHubContents."""
    if params["HubName"].rpartition("/")[2] != HUB:
        raise not_found(f"Hub {params['HubName']} does not exist")
    rows = [_summary(each) for each in CONTENTS.values() if params["HubContentType"] == "Model"]
    return page("HubContentSummaries", rows, params, name="HubContentName")


def _summary(content: Content) -> dict[str, Any]:
    return {
        "HubContentName": content.name,
        "HubContentArn": content.arn,
        "HubContentVersion": content.version,
        "HubContentType": "Model",
        "DocumentSchemaVersion": "2.4.0",
        "HubContentStatus": "Available",
        "CreationTime": 1_750_000_000.0,
    }
