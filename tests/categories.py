"""Each test module is of one category, which its tests get as their marker.

Modules in a folder `full` are `full`; others declare `pytestmark = pytest.mark.process` or `drill`; the
rest are `unit`.
"""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

CATEGORIES = ("drill", "full", "process", "unit")
"""In the order in which they are run: the longest first, so that parallel workers end together."""

_DECLARED = re.compile(r"^pytestmark = \[?pytest\.mark\.(drill|process|unit)\b", re.MULTILINE)
_LIBRARY_SEARCH = {"ldconfig", "gcc", "cc", "ld"}
"""What `ctypes.util.find_library` runs, at the import of soundfile among others."""


@cache
def category_of(module: Path) -> str:
    """The category of the test module; reads the file, so that one need not be imported to be left out."""
    declared = _DECLARED.findall(module.read_text(encoding="utf-8"))
    if module.parent.name == "full":
        declared.append("full")
    assert len(declared) <= 1, f"{module} declares {declared}, more than one category"
    return declared[0] if declared else "unit"


@contextmanager
def no_processes() -> Iterator[None]:
    """Fails what starts a process while the context lasts."""
    start = subprocess.Popen.__init__

    def refuse(self: Any, args: Any, *rest: Any, **options: Any) -> None:
        program = Path(args if isinstance(args, str) else args[0]).name
        assert program in _LIBRARY_SEARCH, f"a unit test starts {program}: its module is of category process"
        start(self, args, *rest, **options)

    with mock.patch.object(subprocess.Popen, "__init__", refuse):
        yield
