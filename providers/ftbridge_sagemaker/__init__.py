"""Amazon SageMaker for ftbridge: managed customization, and our trainer on its instances."""

from ftbridge_sagemaker.compute.adapter import SageMakerComputeProvider as ComputeProvider
from ftbridge_sagemaker.managed import SageMakerProvider as Provider

__all__ = ["ComputeProvider", "Provider"]
