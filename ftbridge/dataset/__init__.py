"""The dataset format: reading, checking and splitting JSONL training data."""

from ftbridge.dataset.check import CheckReport, Finding, check
from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.read import BadLine, Numbered
from ftbridge.dataset.split import Split, split
from ftbridge.dataset.types import Chat, Example, Kind, Message, Tool, ToolCall

__all__ = [
    "BadLine",
    "Chat",
    "CheckReport",
    "Dataset",
    "Example",
    "Finding",
    "Kind",
    "Message",
    "Numbered",
    "Split",
    "Tool",
    "ToolCall",
    "check",
    "split",
]
