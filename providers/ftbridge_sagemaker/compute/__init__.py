"""Our trainer on SageMaker's instances: what this provider knows beside the managed service."""
