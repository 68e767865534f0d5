"""Google Vertex AI for ftbridge: adapter, catalogue, prices and emulator."""

from ftbridge_vertex.adapter import VertexProvider as Provider

__all__ = ["Provider"]
