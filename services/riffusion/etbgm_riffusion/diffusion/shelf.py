"""What was computed lately, and is being computed, by the calls of one server."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Condition
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_LOOK_EVERY_S = 0.2


class Shelf(Generic[Key, Value]):
    """Remembers the last `kept` values; several threads may ask."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._making: set[Key] = set()
        self._changed = Condition()

    def get(self, key: Key, make: Callable[[], Value], look: Callable[[], None]) -> Value:
        """The value of `key`, made now unless it is there.

        While another thread makes it, `look` is called often, and may raise to wait no longer.
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
