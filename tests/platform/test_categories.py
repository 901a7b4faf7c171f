"""Each test module is of one category, and unit tests start no processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.categories import CATEGORIES, category_of, no_processes

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "module", sorted(TESTS.rglob("test_*.py")), ids=lambda module: str(module.relative_to(TESTS))
)
def test_a_module_is_of_one_category(module: Path) -> None:
    assert category_of(module) in CATEGORIES


@pytest.mark.parametrize("folder", ["full", "other"])
def test_two_categories_are_refused(tmp_path: Path, folder: str) -> None:
    module = tmp_path / folder / "test_it.py"
    module.parent.mkdir()
    module.write_text("pytestmark = pytest.mark.process\n" * (1 if folder == "full" else 2))
    with pytest.raises(AssertionError, match="more than one category"):
        category_of(module)


def test_a_unit_test_that_starts_a_process_fails() -> None:
    with no_processes(), pytest.raises(AssertionError, match="category process"):
        subprocess.run([sys.executable, "--version"], check=True)


def test_a_test_has_its_category_as_its_marker(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("unit")
