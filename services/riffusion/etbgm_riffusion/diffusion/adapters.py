"""The adapters (LoRAs) in one folder: found by name, loaded when a request names them.

An adapter is a file NAME.safetensors, or a folder NAME with the file that diffusers writes. Requests can
only name adapters that a listing of the folder returned; no path is built from their names.
"""

import hashlib
import re
from pathlib import Path
from threading import Lock
from typing import Protocol

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.errors import Conflict, NotFound
from etbgm_kit.models.folders import BrokenModel
from etbgm_kit.types import Ingredient
from etbgm_riffusion.diffusion.card import ingredient_of, read_card
from etbgm_riffusion.types import AdapterInfo

DIFFUSERS_FILE = "pytorch_lora_weights.safetensors"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""PEFT uses these as module names, which must not contain dots."""


def is_name(name: str) -> bool:
    """Returns whether an adapter may have this name."""
    return bool(_NAME.fullmatch(name))


def files_in(folder: Path) -> dict[str, Path]:
    """Returns the files of the adapters in `folder` by name."""
    files = {path.parent.name: path for path in folder.glob(f"*/{DIFFUSERS_FILE}")}
    files |= {path.stem: path for path in folder.glob("*.safetensors") if path.is_file()}
    return {name: path for name, path in files.items() if is_name(name)}


class Holder(Protocol):
    """Holds adapters in memory: the batcher."""

    def load_adapter(self, name: str, file: Path) -> None:
        """Loads an adapter; blocks. Raises BrokenModel, Conflict."""

    def unload_adapter(self, name: str) -> None:
        """Unloads an adapter; blocks. Raises NotFound, and Conflict while a canvas uses it."""


class AdapterFolder:
    """The adapters in `folder`, which need not exist; implements an engine's `Adapters`."""

    def __init__(self, folder: Path, holder: Holder) -> None:
        self._folder, self._holder = folder, holder
        self._loaded: dict[str, str] = {}
        self._hashes: dict[tuple[Path, int, int], str] = {}
        self._lock = Lock()

    def list(self) -> tuple[AdapterInfo, ...]:
        """See `Adapters.list`. Hashes new and changed files."""
        return tuple(self._info(name, file) for name, file in sorted(files_in(self._folder).items()))

    def load(self, name: str) -> AdapterInfo:
        """See `Adapters.load`. Reloads an adapter whose file has changed."""
        with self._lock:
            file = self._file(name)
            sha256 = self._sha256(file)
            if self._loaded.get(name) != sha256:
                self._drop(name)
                try:
                    self._holder.load_adapter(name, file)
                except BrokenModel as error:
                    raise Conflict(f"the adapter {name} cannot be used: {error.why}") from error
                self._loaded[name] = sha256
        return AdapterInfo(name, sha256, True)

    def unload(self, name: str) -> None:
        """See `Adapters.unload`."""
        with self._lock:
            if name not in self._loaded:
                self._file(name)
            self._drop(name)

    def ingredient(self, name: str) -> Ingredient:
        """Returns what results say about an adapter: what its card says. Raises NotFound."""
        return ingredient_of(name, read_card(self._file(name)))

    @property
    def revision(self) -> str:
        """Changes when an adapter is added, removed or changed."""
        names = "\n".join(f"{adapter.name} {adapter.sha256}" for adapter in self.list())
        return hashlib.sha256(names.encode()).hexdigest()[:12]

    def _drop(self, name: str) -> None:
        if name in self._loaded:
            self._holder.unload_adapter(name)
            del self._loaded[name]

    def _file(self, name: str) -> Path:
        try:
            return files_in(self._folder)[name]
        except KeyError:
            raise NotFound("there is no adapter of that name", adapter=name) from None

    def _info(self, name: str, file: Path) -> AdapterInfo:
        sha256 = self._sha256(file)
        return AdapterInfo(name, sha256, self._loaded.get(name) == sha256)

    def _sha256(self, path: Path) -> str:
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in self._hashes:
            self._hashes[key] = sha256_of(path)
        return self._hashes[key]
