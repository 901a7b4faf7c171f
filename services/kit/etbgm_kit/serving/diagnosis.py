"""Tells `etbgm doctor` what a service would use on this machine.

Each service has a module `doctor` that prints a Diagnosis as JSON. It runs in a separate process, so that
the command does not depend on the services' packages and a broken library cannot crash it.
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
    """The engine that the service selects with its settings on this machine, why, and what would be better.

    `problem` is one line that says why the service cannot run; `engine`, `device` and `reason` are then "".
    """

    model_config = ConfigDict(frozen=True)

    engine: str = ""
    device: str = ""
    reason: str = ""
    advice: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    problem: str = ""


class Chosen(Protocol):
    """The fields of a service's `Choice` that the diagnosis uses."""

    @property
    def device(self) -> str:
        """The device on which the engine computes."""

    @property
    def reason(self) -> str:
        """Why the engine was chosen."""

    @property
    def advice(self) -> tuple[str, ...]:
        """Sentences on what would be better."""


AnySettings = TypeVar("AnySettings", bound=ModelSettings)


def answer(
    kind: type[AnySettings],
    choose: Callable[[AnySettings], tuple[str, Chosen]],
    parts: Callable[[AnySettings], tuple[Part, ...]],
) -> None:
    """Prints the diagnosis. `choose` returns the engine's name and the choice, or raises RuntimeError."""
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
    """The part for a Python package, with its installed version."""
    try:
        return Part(name=name, found=version(name))
    except PackageNotFoundError:
        return Part(name=name, found="")
