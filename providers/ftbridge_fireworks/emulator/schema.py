"""What the routes take, as data for `ftbridge.testing.wire`.

Fields are those of the SDK's parameter types (``fireworks-ai`` 1.2.30). Bounds: beta from
``DpoConfig`` (> 0 and < 0.5); LoRA rank a power of two up to 32, and what supervised and DPO jobs
refuse as deprecated, from docs.fireworks.ai/fine-tuning/fine-tuning-models; those of
reinforcement from .../parameter-tuning (both seen 2026-11-25). That a job refuses others at once
is unverified. Numbers below one (epochs, batches, rates) are refused here; the SDK says nothing.
"""

from __future__ import annotations

import re

from ftbridge.testing.wire import Anything, Field, Flag, Items, Number, Record, Text

# Google's resource ids (AIP-122), which the vendor's names look like; unverified.
ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")

_WORD = Field(Text(shortest=1))
_SHOWN = Field(Text(longest=63))
_COUNT = Field(Number(integer=True, least=1))
_SHARE = Field(Number(least=0))
_FLAG = Field(Flag())
REGIONS = (
    *("REGION_UNSPECIFIED", "US_IOWA_1", "US_VIRGINIA_1", "US_VIRGINIA_2", "US_ILLINOIS_1"),
    *("AP_TOKYO_1", "EU_LONDON_1", "US_ARIZONA_1", "US_TEXAS_1", "US_ILLINOIS_2"),
    *("EU_FRANKFURT_1", "US_TEXAS_2", "EU_PARIS_1", "EU_HELSINKI_1", "US_NEVADA_1"),
    *("EU_ICELAND_1", "EU_ICELAND_2", "US_WASHINGTON_1", "US_WASHINGTON_2", "EU_ICELAND_DEV_1"),
    *("US_WASHINGTON_3", "US_ARIZONA_2", "AP_TOKYO_2", "US_CALIFORNIA_1", "US_MISSOURI_1"),
    *("US_UTAH_1", "US_TEXAS_3", "US_ARIZONA_3", "US_GEORGIA_1", "US_GEORGIA_2"),
    *("US_WASHINGTON_4", "US_GEORGIA_3", "NA_BRITISHCOLUMBIA_1", "US_GEORGIA_4"),
    *("EU_ICELAND_3", "US_OHIO_1", "US_NEWYORK_1"),
)
FORMATS = ("FORMAT_UNSPECIFIED", "CHAT", "COMPLETION", "RL")
ACCELERATORS = (
    *("ACCELERATOR_TYPE_UNSPECIFIED", "NVIDIA_A100_80GB", "NVIDIA_H100_80GB"),
    *("AMD_MI300X_192GB", "NVIDIA_A10G_24GB", "NVIDIA_A100_40GB", "NVIDIA_L4_24GB"),
    *("NVIDIA_H200_141GB", "NVIDIA_B200_180GB", "AMD_MI325X_256GB", "AMD_MI350X_288GB"),
)
_WANDB = Record(
    {
        "apiKey": _WORD,
        "enabled": _FLAG,
        "entity": _WORD,
        "project": _WORD,
        "runId": _WORD,
    }
)
_AWS = Record({"credentialsSecret": _WORD, "iamRoleArn": _WORD})
_AZURE = Record({"credentialsSecret": _WORD, "managedIdentityClientId": _WORD, "tenantId": _WORD})
# The settings that supervised jobs carry flat and the others carry in trainingConfig.
TRAINING = {
    "baseModel": _WORD,
    "batchSize": _COUNT,
    "batchSizeSamples": _COUNT,
    "samplerCheckpointSaveIntervalSteps": Field(Number(integer=True, least=0)),
    "epochs": _COUNT,
    "gradientAccumulationSteps": _COUNT,
    "jinjaTemplate": _WORD,
    "learningRate": Field(Number(above=0)),
    "learningRateWarmupSteps": Field(Number(integer=True, least=0)),
    "loraRank": Field(Number(integer=True, least=4, most=32)),
    "maxContextLength": _COUNT,
    "optimizerWeightDecay": _SHARE,
    "outputModel": _WORD,
    "region": Field(Text(REGIONS)),
    "warmStartFrom": _WORD,
}
# Supervised and DPO jobs refuse anything but nothing in these ("Deprecated parameters").
_DEPRECATED = {
    "batchSize": Field(Number(integer=True, least=0, most=0)),
    "gradientAccumulationSteps": Field(Number(integer=True, least=0, most=0)),
    "jinjaTemplate": Field(Text(longest=0)),
}
_COMMON = {
    "dataset": Field(Text(shortest=1), required=True),
    "awsS3Config": Field(_AWS),
    "azureBlobStorageConfig": Field(_AZURE),
    "displayName": _SHOWN,
    "rendererHuggingFaceRepoId": _WORD,
    "reservationTarget": _WORD,
    "useReservation": _FLAG,
    "wandbConfig": Field(_WANDB),
}
_NOT_REWARD = ("rendererHuggingFaceRepoId", "useReservation")
_SUPERVISED = Record(
    {
        **_COMMON,
        **TRAINING,
        **_DEPRECATED,
        "earlyStop": _FLAG,
        "evalAutoCarveout": _FLAG,
        "evaluationDataset": _WORD,
        "isTurbo": _FLAG,
        "metricsFileSignedUrl": _WORD,
        "mtpEnabled": _FLAG,
        "mtpFreezeBaseModel": _FLAG,
        "mtpNumDraftTokens": _COUNT,
        "nodes": _COUNT,
        "usePurpose": Field(Text(("pilot",))),
    }
)
_LOSS = Record(
    {
        "method": Field(Text(("METHOD_UNSPECIFIED", "DPO", "ORPO"))),
        "klBeta": _SHARE,
        "dpo": Field(
            Record(
                {
                    "beta": Field(Number(above=0, most=0.4999999)),
                    "refCacheConcurrency": _COUNT,
                    "refCacheBatchSize": _COUNT,
                }
            )
        ),
    }
)
_PREFERENCE = Record(
    {
        **_COMMON,
        "trainingConfig": Field(Record({**TRAINING, **_DEPRECATED})),
        "lossConfig": Field(_LOSS),
    }
)
_ROLLOUT = Record(
    {
        "extraBody": _WORD,
        "maxOutputTokens": Field(Number(integer=True, least=16, most=16384)),
        "responseCandidatesCount": Field(Number(integer=True, least=2)),
        "temperature": Field(Number(least=0.1, most=2)),
        "topK": Field(Number(integer=True, least=0, most=100)),
        "topP": Field(Number(least=0, most=1)),
    }
)
_REWARD_TRAINING = {
    **TRAINING,
    "epochs": Field(Number(integer=True, least=1, most=10)),
    "learningRate": Field(Number(least=1e-5, most=5e-4)),
}
_REWARD_LOSS = Record(
    {
        "method": Field(Text(("METHOD_UNSPECIFIED", "GRPO", "DAPO", "GSPO_TOKEN"))),
        "klBeta": _SHARE,
    }
)
_REINFORCEMENT = Record(
    {
        **{name: field for name, field in _COMMON.items() if name not in _NOT_REWARD},
        "evaluator": Field(Text(shortest=1), required=True),
        "chunkSize": Field(Number(integer=True, least=1, most=10_000)),
        "evalAutoCarveout": _FLAG,
        "evaluationDataset": _WORD,
        "inferenceParameters": Field(_ROLLOUT),
        "lossConfig": Field(_REWARD_LOSS),
        "maxConcurrentEvaluations": _COUNT,
        "maxConcurrentRollouts": _COUNT,
        "maxInferenceReplicaCount": _COUNT,
        "mcpServer": _WORD,
        "nodeCount": _COUNT,
        "trainingConfig": Field(Record(_REWARD_TRAINING)),
    }
)
JOBS = {
    "supervisedFineTuningJobs": _SUPERVISED,
    "dpoJobs": _PREFERENCE,
    "reinforcementFineTuningJobs": _REINFORCEMENT,
}
# The query parameter in which the client chooses a job's id.
ID_PARAMETER = {
    "supervisedFineTuningJobs": "supervisedFineTuningJobId",
    "dpoJobs": "dpoJobId",
    "reinforcementFineTuningJobs": "reinforcementFineTuningJobId",
}
_DATASET = Record(
    {
        "displayName": _SHOWN,
        "exampleCount": _WORD,
        "externalUrl": _WORD,
        "format": Field(Text(FORMATS)),
        "userUploaded": Field(Record({})),
        "evalProtocol": Field(Record({})),
        "evaluationResult": Field(Anything()),
        "sourceJobName": _WORD,
        "splitted": Field(Anything()),
        "transformed": Field(Anything()),
    }
)
CREATE_DATASET = Record(
    {
        "dataset": Field(_DATASET, required=True),
        "datasetId": Field(Text(shortest=1), required=True),
        "sourceDatasetId": _WORD,
    }
)
DEPLOYMENT_QUERY = (
    *("deploymentId", "disableAutoDeploy", "disableSpeculativeDecoding"),
    *("skipImageTagValidation", "skipShapeValidation", "acceptShapelessRisk", "validateOnly"),
)
_OTHER = (
    *("activeModelVersion", "autoscalingPolicy", "autoTune", "deploymentTemplate"),
    *("directRouteApiKeys", "directRouteType", "disableDeploymentSizeValidation", "draftModel"),
    *("draftTokenCount", "enableHotLoad", "enableHotReloadLatestAddon", "enableMtp"),
    *("enableSessionAffinity", "expireTime", "hotLoadBucketType", "hotLoadBucketUrl"),
    *("maxContextLength", "maxWithRevocableReplicaCount", "ngramSpeculationLength"),
    *("placement", "precision", "pricingPlanId", "targetModelVersion"),
)
CREATE_DEPLOYMENT = Record(
    {
        "baseModel": Field(Text(shortest=1), required=True),
        "acceleratorCount": _COUNT,
        "acceleratorType": Field(Text(ACCELERATORS)),
        "deploymentShape": _WORD,
        "description": _WORD,
        "displayName": _SHOWN,
        "enableAddons": _FLAG,
        "minReplicaCount": Field(Number(integer=True, least=0)),
        "maxReplicaCount": Field(Number(integer=True, least=0)),
        **{name: Field(Anything()) for name in _OTHER},
    }
)
LOAD_ADDON = Record(
    {
        "model": Field(Text(shortest=1), required=True),
        "deployment": Field(Text(shortest=1), required=True),
        "default": _FLAG,
        "description": _WORD,
        "displayName": _SHOWN,
        "public": _FLAG,
        "serverless": _FLAG,
    }
)
_MESSAGE = Record(
    {"role": Field(Text(("system", "user", "assistant", "tool")), required=True)}, open=True
)
# Taken and ignored: an emulator has no sampling to steer.
_IGNORED = (
    *("context_length_exceeded_behavior", "echo", "echo_last", "frequency_penalty"),
    *("function_call", "functions", "ignore_eos", "logit_bias", "logprobs", "metadata", "min_p"),
    *("mirostat_lr", "mirostat_target", "parallel_tool_calls", "perf_metrics_in_response"),
    *("prediction", "presence_penalty", "prompt_cache_isolation_key", "prompt_cache_key"),
    *("prompt_truncate_len", "raw_output", "reasoning_effort", "reasoning_history"),
    *("repetition_penalty", "response_format", "return_token_ids", "safe_tokenization", "seed"),
    *("service_tier", "speculation", "stop", "stream_options", "thinking", "tool_choice", "tools"),
    *("top_k", "top_logprobs", "typical_p", "user"),
)
_TOKENS = Field(Number(integer=True, least=0), nullable=True)
CHAT = Record(
    {
        "model": Field(Text(shortest=1), required=True),
        "messages": Field(Items(_MESSAGE, shortest=1), required=True),
        "stream": Field(Flag(), nullable=True),
        "n": Field(Number(integer=True, least=1, most=128), nullable=True),
        "temperature": Field(Number(least=0, most=2), nullable=True),
        "top_p": Field(Number(least=0, most=1), nullable=True),
        "max_tokens": _TOKENS,
        "max_completion_tokens": _TOKENS,
        **{name: Field(Anything(), nullable=True) for name in _IGNORED},
    }
)
