"""Google Vertex AI for ftbridge: adapters, catalogues, prices and emulator."""

from ftbridge_vertex.adapter import VertexProvider as Provider
from ftbridge_vertex.compute.adapter import VertexComputeProvider as ComputeProvider

__all__ = ["ComputeProvider", "Provider"]
