"""Our trainer on Vertex AI's machines: what this provider knows beside the managed service."""
