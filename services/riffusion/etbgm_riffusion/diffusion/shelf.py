"""Values that the calls of one server have recently computed, or are computing."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Condition
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_LOOK_EVERY_S = 0.2


class Shelf(Generic[Key, Value]):
    """Caches the last `kept` values; thread-safe."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._making: set[Key] = set()
        self._changed = Condition()

    def get(self, key: Key, make: Callable[[], Value], look: Callable[[], None]) -> Value:
        """Returns the value of `key`; calls `make` if it is not cached.

        While another thread computes the value, `look` is called often and may raise to stop waiting.
        """
        with self._changed:
            while key in self._making:
                self._changed.wait(_LOOK_EVERY_S)
                look()
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            self._making.add(key)
        try:
            value = make()
            with self._changed:
                self._values[key] = value
                while len(self._values) > self._kept:
                    self._values.popitem(last=False)
            return value
        finally:
            with self._changed:
                self._making.discard(key)
                self._changed.notify_all()
