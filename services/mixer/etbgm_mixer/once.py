"""Work that several calls need is done once and its result remembered for the next ones."""

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
    """Empty until the work is done, then its result."""


class Once(Generic[Key, Value]):
    """Remembers the results of the `most` keys that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()

    def get(self, key: Key, work: Callable[[], Value]) -> Value:
        """The result of `work` for `key`: one thread does it, others that ask meanwhile wait.

        Raises what `work` raises; then the next thread that asks does the work.
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
