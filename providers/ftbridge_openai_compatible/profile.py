"""What a server does differently from OpenAI, and what it tunes: one TOML file a server.

``profiles/plain.toml`` is OpenAI's own wire; others ship beside it or are the user's. A profile
holds a catalogue in the shape of :mod:`ftbridge.catalogue` and the few differences below.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ftbridge.catalogue import Catalogue
from ftbridge.errors import DataError, UsageError
from ftbridge.jobs.spec import Adapter
from ftbridge.provider import OPERATIONS

FOLDER = Path(__file__).parent / "profiles"
PLAIN = "plain"

OptionType = Literal["whole", "number", "flag", "text"]


class Profile(BaseModel):
    """One server.

    ``base_url`` and ``hosts``: the vendor's own address, where there is one. ``key_variable``
    holds the key, which goes as a Bearer unless ``key_header`` names a header of its own.
    ``job_key``: where our key travels. ``hyperparameters``: at the top of the body or in
    ``method``. ``adapters``: what each choice of weights adds to them; one that is not named
    there adds nothing. ``options``: further hyperparameters, given as ``--option``.
    ``metrics``: in events or in checkpoints. ``weights``: a checkpoint lists its files.
    ``absent``: operation -> the sentence that the user reads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = ""
    hosts: tuple[str, ...] = ()
    key_variable: str = "OPENAI_COMPATIBLE_API_KEY"
    key_header: str = ""
    job_key: Literal["metadata", "suffix"] = "metadata"
    hyperparameters: Literal["method", "top"] = "method"
    adapters: dict[Adapter, dict[str, Any]] = {}
    options: dict[str, OptionType] = {}
    metrics: Literal["events", "checkpoints"] = "events"
    weights: bool = False
    absent: dict[str, str]
    catalogue: Catalogue

    def option(self, name: str, text: str) -> Any:
        """The value of an option on the wire. Raises UsageError for text that is none."""
        kind = self.options[name]
        try:
            if kind == "flag":
                return {"true": True, "false": False}[text.lower()]
            return {"whole": int, "number": float, "text": str}[kind](text)
        except (KeyError, ValueError):
            wanted = "true or false" if kind == "flag" else f"a {kind} number"
            raise UsageError(
                f"option {name}: `{text}` is not {wanted}", hint="correct the value", where=name
            ) from None


def shipped() -> list[str]:
    """The names of the profiles that come with ftbridge."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Profile:
    """A profile by its name, or by the path of a TOML file.

    Raises:
        UsageError: for an unknown name, or a file that is no profile, naming the field.
        DataError: for a file that cannot be read.
    """
    if name.endswith(".toml"):
        return _read(Path(name))
    if name not in shipped():
        raise UsageError(
            f"no profile is called `{name}`",
            hint=f"one of {', '.join(shipped())}, or the path of a .toml file",
            where="profile",
        )
    return _shipped(name)


def every_model() -> Profile:
    """The plain profile with the models of all shipped ones, each saying which profile it needs.

    For tables of what can be tuned where, before anybody has chosen a profile.
    """
    rows = [
        row.model_copy(update={"default": False, "note": f"--option profile={name}; {row.note}"})
        for name in shipped()
        for row in load(name).catalogue.models
    ]
    plain = load(PLAIN)
    catalogue = plain.catalogue.model_copy(update={"models": tuple(rows)})
    return plain.model_copy(update={"catalogue": catalogue})


@cache
def _shipped(name: str) -> Profile:
    return _read(FOLDER / f"{name}.toml")


def _read(path: Path) -> Profile:
    try:
        profile = Profile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}", hint="correct --option profile"
        ) from None
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(map(str, fault["loc"]))
        raise UsageError(
            f"{path}: {field}: {fault['msg']}", hint="correct that field", where=field
        ) from None
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}", hint="correct that line") from None
    if unknown := sorted(profile.absent.keys() - set(OPERATIONS)):
        raise UsageError(
            f"{path}: absent.{unknown[0]}: no such operation",
            hint=f"one of: {', '.join(OPERATIONS)}",
            where=f"absent.{unknown[0]}",
        )
    return profile
