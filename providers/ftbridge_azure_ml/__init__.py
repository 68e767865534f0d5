"""Azure Machine Learning for ftbridge: adapter, catalogue, prices and emulator."""

from ftbridge_azure_ml.adapter import AzureMlProvider as Provider

__all__ = ["Provider"]
