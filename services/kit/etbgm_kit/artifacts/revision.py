"""A short hash of everything that can change a result, so that nobody has to raise a version number.

The hash covers the source files of a module and of all project modules that it imports,
at any depth, the tables beside them, and the versions of the libraries that they import.
The caller passes what Python does not import (programs, shared libraries, weights,
settings) as facts. Imports are found with regular expressions: parsing the source would
take ten times as long.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

_PROJECT = "etbgm_"
"""Prefix of the project's package names."""

_STUBS = "etbgm"
"""Package of the generated code, which is left out: it only defines the requests and results."""

_DISTRIBUTIONS = {
    "PIL": ("pillow",),
    "ffmpeg": ("ffmpeg-python",),
    "google": ("protobuf",),
    "grpc": ("grpcio",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
}
"""Distributions whose names differ from their modules' names."""

_TABLES = {".toml", ".tsv"}

_FROM = re.compile(r"^[ \t]*from ([\w.]+) import (?:\(([^)]*)\)|(.+))$", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import ([\w.]+(?:, [\w.]+)*)(?: as \w+)?$", re.MULTILINE)
_VERSION = re.compile(r"^Version: (.+)$", re.MULTILINE)


def revision_of(*modules: str, facts: object = ()) -> str:
    """12 hexadecimal digits that change with the code of `modules`, their libraries and `facts`.

    Different `facts` must have a different `repr`.
    """
    return hashlib.sha256(f"{_code_of(modules)}\n{facts!r}".encode()).hexdigest()[:12]


@cache
def _code_of(modules: tuple[str, ...]) -> str:
    files, libraries = sources_of(*modules)
    hashes = sorted((name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in files.items())
    versions = [(name, version_of(name)) for name in sorted(libraries)]
    return repr((hashes, versions, sys.version_info[:2]))


def sources_of(*modules: str) -> tuple[dict[str, Path], set[str]]:
    """Names and paths of all project files behind the modules, and the libraries that they import."""
    files: dict[str, Path] = {}
    names: set[str] = set()
    waiting = set(modules)
    while waiting:
        names |= waiting
        found: set[str] = set()
        for name in waiting:
            path = _file_of(name) if name.startswith(_PROJECT) else None
            if path:
                files[name] = path
                found |= {name.rpartition(".")[0] or name, *_imported(path.read_text(encoding="utf-8"))}
        waiting = found - names
    for folder in {path.parent for path in files.values()}:
        files |= {str(path): path for path in folder.iterdir() if path.suffix in _TABLES}
    libraries = {name.partition(".")[0] for name in names if not name.startswith(_PROJECT)}
    return files, libraries - sys.stdlib_module_names - {_STUBS}


def version_of(library: str) -> str | None:
    """Version of the distribution that provides the module `library`; None if it is not installed."""
    for name in _DISTRIBUTIONS.get(library, (library,)):
        try:
            metadata = distribution(name).read_text("METADATA") or ""
        except PackageNotFoundError:
            continue
        # `importlib.metadata.version` parses the whole file, which would take most of the time here.
        if found := _VERSION.search(metadata):
            return found[1]
    return None


@cache
def _file_of(name: str) -> Path | None:
    """The module's file; None if `name` is not a module but a name inside one."""
    package, _, last = name.rpartition(".")
    if not package:
        spec = find_spec(name)
        return Path(spec.origin) if spec and spec.origin else None
    above = _file_of(package)
    if above is None or above.name != "__init__.py":
        return None
    found = above.with_name(f"{last}.py"), above.with_name(last) / "__init__.py"
    return next((path for path in found if path.is_file()), None)


def _imported(source: str) -> Iterator[str]:
    """Yields imported modules, and imported names that may be modules."""
    for names in _IMPORT.findall(source):
        yield from names.split(", ")
    for package, in_brackets, in_line in _FROM.findall(source):
        yield package
        if package.startswith(_PROJECT):
            yield from (f"{package}.{name}" for name in re.findall(r"\w+", in_brackets or in_line))
