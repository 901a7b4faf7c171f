"""What can move a result, as one short hash: nobody has to remember to raise a number.

The source files count that a module and all project modules that it imports, at any
depth, consist of, with the tables beside them; so do the versions of the libraries that
they import. What Python does not import (programs, shared libraries, weights, settings)
is given by the caller as facts. Source code is read as text: parsing it would take ten
times as long.
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
"""What our packages begin with."""

_STUBS = "etbgm"
"""Generated code is left out: requests and results are messages of its own."""

_DISTRIBUTIONS = {
    "PIL": ("pillow",),
    "google": ("protobuf",),
    "grpc": ("grpcio",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
}
"""Those that are not named as their modules are."""

_TABLES = {".toml", ".tsv"}

_FROM = re.compile(r"^[ \t]*from ([\w.]+) import (?:\(([^)]*)\)|(.+))$", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import ([\w.]+(?:, [\w.]+)*)(?: as \w+)?$", re.MULTILINE)
_VERSION = re.compile(r"^Version: (.+)$", re.MULTILINE)


def revision_of(*modules: str, facts: object = ()) -> str:
    """12 hexadecimal digits that change with the code of `modules`, their libraries and `facts`.

    `facts` are values whose `repr` tells them apart.
    """
    return hashlib.sha256(f"{_code_of(modules)}\n{facts!r}".encode()).hexdigest()[:12]


@cache
def _code_of(modules: tuple[str, ...]) -> str:
    files, libraries = sources_of(*modules)
    hashes = sorted((name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in files.items())
    versions = [(name, version_of(name)) for name in sorted(libraries)]
    return repr((hashes, versions, sys.version_info[:2]))


def sources_of(*modules: str) -> tuple[dict[str, Path], set[str]]:
    """Names and paths of all project files that the modules consist of, and the libraries they import."""
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
    """Of the installed distribution that brings the module `library`; None when there is none."""
    for name in _DISTRIBUTIONS.get(library, (library,)):
        try:
            metadata = distribution(name).read_text("METADATA") or ""
        except PackageNotFoundError:
            continue
        # `importlib.metadata.version` parses all of it, which takes most of the time here.
        if found := _VERSION.search(metadata):
            return found[1]
    return None


@cache
def _file_of(name: str) -> Path | None:
    """None for what is no module: a name inside one."""
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
    """Modules, and names that may be modules."""
    for names in _IMPORT.findall(source):
        yield from names.split(", ")
    for package, in_brackets, in_line in _FROM.findall(source):
        yield package
        if package.startswith(_PROJECT):
            yield from (f"{package}.{name}" for name in re.findall(r"\w+", in_brackets or in_line))
