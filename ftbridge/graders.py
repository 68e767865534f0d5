"""What scores an answer in reinforcement learning: five kinds, in OpenAI's shapes.

Shapes: ``openai`` 3.57.0 (``types/graders``) and OpenAI's OpenAPI document (openai-openapi,
commit f85dbe2), read 2026-11-25. A ``multi`` holds a map of graders by name, as OpenAI's graders
guide writes it (the OpenAPI document shows one grader there). Each provider's catalogue says which
kinds it takes. How an answer is scored on this machine is :mod:`ftbridge.grading`'s.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from ftbridge.errors import DataError, UsageError
from ftbridge_trainer.formula import FUNCTIONS, Formula
from ftbridge_trainer.scoring import PLACEHOLDER

Similarity = Literal[
    "cosine", "fuzzy_match", "bleu", "gleu", "meteor",
    "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
]  # fmt: skip
_VARIABLE = re.compile(r"(item|sample)(\.[^\s.{}\[\]]+|\[\d+\])+")


def _template(text: str) -> str:
    """A text whose ``{{ }}`` name something of ``item`` or ``sample``."""
    for found in PLACEHOLDER.finditer(text):
        if not _VARIABLE.fullmatch(found[1]):
            raise ValueError(
                f"`{found[0]}` names neither item.KEY (a key of the data line) nor sample.KEY "
                "(output_text, output_json, output_tools)"
            )
    return text


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Named(_Shape):
    name: str = Field(min_length=1)

    def wire(self) -> dict[str, Any]:
        """The JSON that a vendor of these shapes is sent; what is not set is left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def kinds(self) -> set[str]:
        """The kinds of the grader and of those in it."""
        return {str(getattr(self, "type"))}  # noqa: B009 - each subclass has its own literal


class _Compares(_Named):
    """Graders that hold one text against another; both may hold ``{{ }}``."""

    input: str
    reference: str

    @field_validator("input", "reference")
    @classmethod
    def _check(cls, value: str) -> str:
        return _template(value)


class StringCheck(_Compares):
    """1 or 0: equal, not equal, contains, contains whatever the case."""

    type: Literal["string_check"]
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(_Compares):
    """How alike two texts are, 0 to 1."""

    type: Literal["text_similarity"]
    evaluation_metric: Similarity


class PythonGrader(_Named):
    """A program with ``grade(sample, item) -> float``. The vendor runs it; ftbridge never does."""

    type: Literal["python"]
    source: str = Field(min_length=1)
    image_tag: str | None = None


class GraderMessage(_Shape):
    """A message to the model that scores."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | dict[str, Any] | list[str | dict[str, Any]]
    type: Literal["message"] | None = None

    @field_validator("content")
    @classmethod
    def _check(cls, value: Any) -> Any:
        if isinstance(value, str):
            _template(value)
        return value


class Sampling(_Shape):
    """How the model that scores is sampled."""

    seed: int | None = None
    top_p: float | None = None
    temperature: float | None = None
    max_completions_tokens: int | None = Field(default=None, ge=1)
    reasoning_effort: str | None = None


class ScoreModel(_Named):
    """A model that gives the score; ``range`` is from its worst to its best, 0 to 1 if unset."""

    type: Literal["score_model"]
    model: str = Field(min_length=1)
    input: tuple[GraderMessage, ...] = Field(min_length=1)
    range: tuple[float, float] | None = None
    sampling_params: Sampling | None = None

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and value[0] >= value[1]:
            raise ValueError("the first number must be the smaller one")
        return value


Single: TypeAlias = Annotated[
    StringCheck | TextSimilarity | PythonGrader | ScoreModel, Field(discriminator="type")
]


class Multi(_Named):
    """Several graders, and a formula over their scores by the names they have here."""

    type: Literal["multi"]
    graders: dict[str, Single] = Field(min_length=1)
    calculate_output: str

    @model_validator(mode="after")
    def _formula(self) -> Multi:
        names = Formula(self.calculate_output).names
        if bad := sorted(name for name in self.graders if not name.isidentifier()):
            raise ValueError(f"`{bad[0]}` cannot be named in a formula; use letters, digits, _")
        if taken := sorted(self.graders.keys() & FUNCTIONS.keys()):
            raise ValueError(f"`{taken[0]}` is a function of the formula; take another name")
        if missing := sorted(names - self.graders.keys()):
            raise ValueError(
                f"calculate_output names `{missing[0]}`, none of: {', '.join(self.graders)}"
            )
        if unused := sorted(self.graders.keys() - names):
            raise ValueError(f"calculate_output never uses `{unused[0]}`; use it or remove it")
        return self

    def kinds(self) -> set[str]:
        """``multi`` and the kinds in it."""
        return {"multi"}.union(*(each.kinds() for each in self.graders.values()))


Grader: TypeAlias = Annotated[
    StringCheck | TextSimilarity | PythonGrader | ScoreModel | Multi, Field(discriminator="type")
]
KINDS = ("string_check", "text_similarity", "python", "score_model", "multi")
_any: TypeAdapter[Grader] = TypeAdapter(Grader)


def grader_from(value: Grader | Mapping[str, Any] | str | Path | None) -> Grader | None:
    """A checked grader from a file (JSON, or TOML by its ending), a mapping, or as it is.

    Raises:
        DataError: the file is missing or is neither.
        UsageError: it is no grader, naming the field.
    """
    if value is None or isinstance(value, BaseModel):
        return value
    if isinstance(value, str | Path):
        return _checked(_read(Path(value)), str(value))
    return _checked(value, "grader")


def _read(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}",
            hint="--grader takes a JSON or TOML file",
            where=str(path),
        ) from None
    except ValueError as error:  # of decoding, JSON and TOML alike
        raise DataError(
            f"{path}: not {'TOML' if path.suffix == '.toml' else 'JSON'}: {error}",
            hint="correct that line",
            where=str(path),
        ) from None


def _checked(content: Any, where: str) -> Grader:
    try:
        return _any.validate_python(content)
    except ValidationError as error:
        fault = error.errors()[0]
        field = _field(fault["loc"])
        message, hint = _words(fault)
        said = f"{field}: {message}" if field else message
        raise UsageError(f"{where}: {said}", hint=hint, where=field or where) from None


def _words(fault: Any) -> tuple[str, str]:
    kind = fault["type"]
    if kind == "union_tag_invalid":
        wanted = fault["ctx"]["expected_tags"].replace("'", "")
        return f"`{fault['ctx']['tag']}` is no kind of grader", f"type is one of: {wanted}"
    if kind == "union_tag_not_found":
        return "has no `type`", f"type is one of: {', '.join(KINDS)}"
    if kind == "missing":
        return "is missing", "add it"
    if kind == "extra_forbidden":
        return "is not known here", "remove it, or correct its name"
    return str(fault["msg"]).removeprefix("Value error, "), "correct the value"


def _field(loc: tuple[int | str, ...]) -> str:
    """The path of a field without the names of the kinds that stand in pydantic's."""
    parts = list(loc)
    if parts and parts[0] in KINDS:
        del parts[0]
    if len(parts) > 2 and parts[0] == "graders" and parts[2] in KINDS:
        del parts[2]
    return ".".join(map(str, parts))
