"""Runs work that several calls need only once and caches its result."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass
class _Entry(Generic[Value]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    values: list[Value] = field(default_factory=list)
    """Empty until the work is done, then holds its result."""


class Once(Generic[Key, Value]):
    """Caches the results of the `most` most recently requested keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()

    def get(self, key: Key, work: Callable[[], Value]) -> Value:
        """Returns the result of `work` for `key`; one thread runs it while others wait.

        Raises what `work` raises; the next thread that requests the key then runs it again.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        with entry.lock:
            if not entry.values:
                entry.values.append(work())
            return entry.values[0]
