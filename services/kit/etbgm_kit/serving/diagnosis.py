"""What a service would run with on this machine, for `etbgm doctor`.

Each service has a module `doctor` that prints a Diagnosis as JSON. It runs in a process of its own, so that
the command needs no service's packages and a broken library cannot take it down.
"""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from etbgm_kit.serving.settings import ModelSettings, read


class Part(BaseModel):
    """A package, program or file that an engine uses; `found` is its version or path, "" if missing."""

    model_config = ConfigDict(frozen=True)

    name: str
    found: str


class Diagnosis(BaseModel):
    """The engine that the settings and this machine lead to, why, and what would be better.

    `problem` says in one line why the service cannot run; then `engine`, `device` and `reason` are "".
    """

    model_config = ConfigDict(frozen=True)

    engine: str = ""
    device: str = ""
    reason: str = ""
    advice: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    problem: str = ""


class Chosen(Protocol):
    """What the diagnosis takes from a service's `Choice`."""

    @property
    def device(self) -> str:
        """Where the engine computes."""

    @property
    def reason(self) -> str:
        """Why it was chosen."""

    @property
    def advice(self) -> tuple[str, ...]:
        """What would be better, in sentences."""


AnySettings = TypeVar("AnySettings", bound=ModelSettings)


def answer(
    kind: type[AnySettings],
    choose: Callable[[AnySettings], tuple[str, Chosen]],
    parts: Callable[[AnySettings], tuple[Part, ...]],
) -> None:
    """Prints the diagnosis. `choose` gives the engine's name and the choice, or raises RuntimeError."""
    found: tuple[Part, ...] = ()
    try:
        settings = read(kind, store_url="file:///")  # required, but no store is opened
        found = parts(settings)
        engine, choice = choose(settings)
        diagnosis = Diagnosis(
            engine=engine, device=choice.device, reason=choice.reason, advice=choice.advice, parts=found
        )
    except RuntimeError as error:
        diagnosis = Diagnosis(parts=found, problem=str(error))
    sys.stdout.write(diagnosis.model_dump_json())


def package(name: str) -> Part:
    """The installed version of a Python package."""
    try:
        return Part(name=name, found=version(name))
    except PackageNotFoundError:
        return Part(name=name, found="")
