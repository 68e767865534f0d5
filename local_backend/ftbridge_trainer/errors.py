"""The one kind of error that a user of the trainer sees."""

from __future__ import annotations


class TrainerError(Exception):
    """What went wrong, in words: a stable code, a sentence, and the next step."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str]:
        """The form that `status.json` carries."""
        return {"code": self.code, "message": self.message, "hint": self.hint}
