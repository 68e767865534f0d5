"""What the routes take, as data for `ftbridge.testing.wire`, and how protobuf's JSON is read.

Fields are those that the converters of ``google-genai`` 2.34.0 write and its types name. Bounds:
reinforcement's from ``hyperparameters`` (learning rate multiplier 1/4 to 4; batch size times
samples a multiple of 16, at most 8,192 for text), labels and display names from the SDK's field
descriptions. Other numbers are refused below one, rates at or below zero: the sources say nothing.
"""

from __future__ import annotations

import re
from typing import Any

from ftbridge.testing.wire import Anything, Field, Flag, Items, Number, Pairs, Record, Rule, Text

from .data import camel
from .errors import from_problem

SPECS = (
    "supervisedTuningSpec",
    "preferenceOptimizationSpec",
    "distillationSpec",
    "reinforcementTuningSpec",
)
LABEL = re.compile(r"[\w-]{1,63}")
_word = Field(Text(shortest=1))
_flag = Field(Flag())
_count = Field(Number(integer=True, least=1))
_rate = Field(Number(above=0))
_any = Field(Anything())
_real = Field(Number())
_ADAPTERS = Field(Text(tuple(
    f"ADAPTER_SIZE_{size}" for size in ("ONE", "TWO", "FOUR", "EIGHT", "SIXTEEN", "THIRTY_TWO")
)))  # fmt: skip
_MODES = Field(Text(("TUNING_MODE_FULL", "TUNING_MODE_PEFT_ADAPTER")))
_DATA = Field(Text(shortest=1), required=True)
_DATA_AT = {"trainingDatasetUri": _DATA, "validationDatasetUri": _word}
_BASICS = {"epochCount": _count, "learningRateMultiplier": _rate, "adapterSize": _ADAPTERS}
_OPEN = {"learningRate": _rate, "batchSize": _count}
_SUPERVISED = Record({
    **_DATA_AT,
    "hyperParameters": Field(Record({**_BASICS, **_OPEN})),
    "exportLastCheckpointOnly": _flag,
    "tuningMode": _MODES,
    "evaluationConfig": _any,
})  # fmt: skip
_PREFERENCE = Record({
    **_DATA_AT,
    "hyperParameters": Field(Record({**_BASICS, "beta": Field(Number(least=0))})),
    "exportLastCheckpointOnly": _flag,
    "evaluationConfig": _any,
})  # fmt: skip
_DISTILLATION = Record({
    "promptDatasetUri": _DATA,
    "validationDatasetUri": _word,
    "baseTeacherModel": _word,
    "tunedTeacherModelSource": _word,
    "hyperParameters": Field(Record({
        **_BASICS, **_OPEN, "sftLossWeightMultiplier": _rate, "generationConfig": _any,
    })),
    "exportLastCheckpointOnly": _flag,
    "tuningMode": _MODES,
    "evaluationConfig": _any,
})  # fmt: skip
_PARSE = Field(Record({
    "parseType": Field(Text(("IDENTITY", "REGEX_EXTRACT"))), "regexExtractExpression": _word,
}))  # fmt: skip
_MATCH = Field(Record({
    "matchOperation": Field(
        Text(("REGEX_CONTAINS", "PARTIAL_MATCH", "EXACT_MATCH")), required=True
    ),
    "expression": Field(Text(), required=True),
}))  # fmt: skip
_SCORES = {"correctAnswerReward": _real, "wrongAnswerReward": _real}
SCORERS = (
    "autoraterScorer",
    "codeExecutionRewardScorer",
    "stringMatchRewardScorer",
    "cloudRunRewardScorer",
)
SINGLE = Record({
    "rewardName": _word,
    "parseResponseConfig": _PARSE,
    "autoraterScorer": Field(Record({
        "autoraterConfig": Field(Record({
            "samplingCount": _count, "flipEnabled": _flag, "autoraterModel": _word,
            "generationConfig": _any,
        })),
        "autoraterPrompt": Field(Text(shortest=1), required=True),
        "autoraterResponseParseConfig": _PARSE,
        "parsedResponseConversionScorer": Field(Record({})),
        "exactMatchScorer": Field(Record({**_SCORES, "expression": _word})),
    })),
    "codeExecutionRewardScorer": Field(Record({
        "pythonCodeSnippet": Field(Text(shortest=1), required=True),
    })),
    "stringMatchRewardScorer": Field(Record({
        **_SCORES,
        "stringMatchExpression": _MATCH,
        "jsonMatchExpression": Field(Record({
            "keyName": Field(Text(shortest=1), required=True),
            "valueStringMatchExpression": _MATCH,
        })),
    })),
    "cloudRunRewardScorer": Field(Record({
        "cloudRunUri": Field(Text(shortest=1), required=True),
    })),
})  # fmt: skip
COMPOSITE = Record({
    "weightedRewardConfigs": Field(Items(Record({
        "rewardConfig": Field(SINGLE, required=True), "weight": _real,
    }), shortest=1), required=True),
})  # fmt: skip
_REINFORCEMENT = Record({
    **_DATA_AT,
    "singleRewardConfig": Field(SINGLE),
    "compositeRewardConfig": Field(COMPOSITE),
    "hyperParameters": Field(Record({
        "epochCount": _count,
        "stepCount": Field(Number(integer=True, least=1, most=500)),
        "learningRateMultiplier": Field(Number(least=0.25, most=4)),
        "adapterSize": _ADAPTERS,
        "batchSize": _count,
        "samplesPerPrompt": _count,
        "evaluateInterval": _count,
        "checkpointInterval": _count,
        "maxOutputTokens": Field(Number(integer=True, least=1, most=32768)),
        "thinkingLevel": Field(Text(("MINIMAL", "HIGH"))),
        "thinkingBudget": Field(Number(integer=True, least=-1)),
    })),
})  # fmt: skip
CREATE = Record({
    "baseModel": _word,
    "preTunedModel": Field(Record({
        "tunedModelName": Field(Text(shortest=1), required=True), "checkpointId": _word,
    })),
    "supervisedTuningSpec": Field(_SUPERVISED),
    "preferenceOptimizationSpec": Field(_PREFERENCE),
    "distillationSpec": Field(_DISTILLATION),
    "reinforcementTuningSpec": Field(_REINFORCEMENT),
    "tunedModelDisplayName": Field(Text(longest=128)),
    "description": Field(Text()),
    "labels": Field(Pairs(Text(longest=63), most=64, longest_key=63)),
    "outputUri": _word,
    "customBaseModel": _word,
    "encryptionSpec": Field(Record({"kmsKeyName": Field(Text(shortest=1), required=True)})),
    "serviceAccount": _word,
})  # fmt: skip
_CONTENT = Record({
    "role": Field(Text()),
    "parts": Field(Items(Pairs(Anything()), shortest=1), required=True),
})  # fmt: skip
GENERATE = Record({
    "contents": Field(Items(_CONTENT, shortest=1), required=True),
    "systemInstruction": Field(_CONTENT),
    "generationConfig": Field(Record({
        "temperature": Field(Number(least=0, most=2)),
        "topP": Field(Number(least=0, most=1)),
        "topK": _real,
        "candidateCount": Field(Number(integer=True, least=1, most=8)),
        "maxOutputTokens": _count,
        **dict.fromkeys((
            "stopSequences", "responseMimeType", "responseSchema", "responseJsonSchema", "seed",
            "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs",
            "thinkingConfig", "routingConfig", "modelConfig", "responseModalities",
            "speechConfig", "mediaResolution", "audioTimestamp", "imageConfig",
        ), _any),
    })),
    **dict.fromkeys((
        "tools", "toolConfig", "safetySettings", "cachedContent", "labels", "modelArmorConfig",
    ), _any),
})  # fmt: skip
COUNT = Record({**GENERATE.fields, "instances": _any, "model": _any})
EXAMPLE = Record({
    "contents": Field(Items(_CONTENT, shortest=1), required=True),
    "systemInstruction": Field(_CONTENT),
    "references": Field(Pairs(Text())),
    "tools": _any,
})  # fmt: skip
VALIDATE = Record({
    "sampleResponse": Field(_CONTENT, required=True),
    "example": Field(EXAMPLE, required=True),
    "singleRewardConfig": Field(SINGLE),
    "compositeRewardConfig": Field(COMPOSITE),
})  # fmt: skip
CREATE_ENDPOINT = Record({
    "displayName": Field(Text(shortest=1, longest=128), required=True),
    "description": Field(Text()),
    "labels": Field(Pairs(Text(longest=63), most=64, longest_key=63)),
})  # fmt: skip
DEPLOY = Record({
    "deployedModel": Field(Record({
        "id": _word,
        "model": Field(Text(shortest=1), required=True),
        "displayName": _word,
        "checkpointId": _word,
        "dedicatedResources": _any,
        "automaticResources": _any,
    }), required=True),
    "trafficSplit": _any,
})  # fmt: skip
UNDEPLOY = Record({"deployedModelId": Field(Text(shortest=1), required=True), "trafficSplit": _any})


def checked(rule: Record, body: Any) -> dict[str, Any]:
    """The body in its declared names, or the first thing that is wrong with it."""
    read = _as_declared(rule, {} if body is None else body)
    for problem in rule.problems(read):
        raise from_problem(problem)
    checked_body: dict[str, Any] = read
    return checked_body


def _as_declared(rule: Rule, value: Any) -> Any:
    """protobuf's JSON: snake_case names are taken for camelCase, int64 as digits in a string."""
    if isinstance(rule, Record) and isinstance(value, dict):
        named = {key if key in rule.fields else camel(key): each for key, each in value.items()}
        return {
            key: _as_declared(rule.fields[key].rule, each) if key in rule.fields else each
            for key, each in named.items()
        }
    if isinstance(rule, Items) and isinstance(value, list):
        return [_as_declared(rule.each, each) for each in value]
    if isinstance(rule, Number) and rule.integer and isinstance(value, str):
        return int(value) if re.fullmatch(r"-?\d+", value) else value
    return value
