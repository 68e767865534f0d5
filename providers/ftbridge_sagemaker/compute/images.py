"""The address of AWS's PyTorch training container in a region.

Source: the registries of ``image_uri_config/*.json`` in github.com/aws/sagemaker-python-sdk and the
build files of github.com/aws/deep-learning-containers (pytorch 2.9.0, python 3.12, CUDA 13.0; seen
2026-11-25). Unverified: that the tag can still be pulled; name another with --option image=URI.
"""

from __future__ import annotations

TAG = "2.9.0-gpu-py312-cu130-ubuntu22.04-sagemaker"
ACCOUNT = "763104351884"
ACCOUNTS = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-northeast-3": "364406365360",
    "ap-southeast-3": "907027046896",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    "eu-south-1": "692866216735",
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
}
"""Regions whose registry is another account's."""


def image_of(region: str) -> str:
    """``ACCOUNT.dkr.ecr.REGION.amazonaws.com/pytorch-training:TAG``."""
    account = ACCOUNTS.get(region, ACCOUNT)
    tail = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{tail}/pytorch-training:{TAG}"
