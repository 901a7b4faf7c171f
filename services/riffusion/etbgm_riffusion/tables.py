"""Reads tables of words in TOML: the package's own, or the user's in their place."""

import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Table = TypeVar("Table", bound=BaseModel)


class BrokenTable(RuntimeError):
    """A table cannot be used; the message names the file and the entry, and quotes no words of it."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source} cannot be used: {why}")


def read_table(kind: type[Table], path: Path | None, own: Traversable) -> Table:
    """Reads a table from `path`, or from the package's file `own` if it is None. Raises BrokenTable."""
    source = str(path) if path else own.name
    try:
        return kind.model_validate(tomllib.loads((path or own).read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise BrokenTable(source, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except OSError as error:
        raise BrokenTable(source, error.strerror or type(error).__name__) from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise BrokenTable(source, f"{type(error).__name__}: {error}") from None
