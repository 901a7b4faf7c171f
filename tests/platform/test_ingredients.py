"""Engines take what they say of weights and sounds from the catalogue, under names that it has."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from etbgm_kit.models import catalogue

pytestmark = pytest.mark.process

SERVICES = Path(__file__).parents[2] / "services"
FILES = sorted(
    path.relative_to(SERVICES).as_posix()
    for path in SERVICES.glob("*/etbgm_*/**/*.py")
    if path.relative_to(SERVICES).parts[0] != "kit"
)


def calls(file: str, *functions: str) -> Iterator[ast.Call]:
    """The calls of `functions` in a file, however they are imported."""
    for node in ast.walk(ast.parse((SERVICES / file).read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in functions:
                yield node


@pytest.mark.parametrize("file", FILES)
def test_names_that_engines_give_are_in_the_catalogue(file: str) -> None:
    for call in calls(file, "ingredient"):
        match call.args:
            case [ast.Constant(value=str(name)), *_]:
                assert catalogue.find(name), f"{name} is not in licences.toml"


def test_the_names_are_found() -> None:
    named = {call.args[0].value for file in FILES for call in calls(file, "ingredient")
             if call.args and isinstance(call.args[0], ast.Constant)}  # fmt: skip
    assert named >= {"deepfilternet3", "silero-vad"}


@pytest.mark.parametrize("file", FILES)
def test_facts_on_licences_are_written_down_once(file: str) -> None:
    """An ingredient made by hand is one that the catalogue does not have: nothing is known of its use."""
    for call in calls(file, "Ingredient"):
        assert isinstance(call.args[3], ast.Constant)
        assert call.args[3].value is None
