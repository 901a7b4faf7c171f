"""Slows down guessing: limits failed attempts per address. Pure."""

from collections import OrderedDict

MOST_FAILURES = 10
"""Failed attempts that an address has at once."""
RECOVERY_S = 6.0
"""Time after which it has another one: ten a minute."""

_REMEMBERED = 10_000
"""Addresses remembered; the one that failed longest ago is forgotten first."""


class Throttle:
    """A token bucket for each address (RFC 2697's idea); times are seconds of one clock."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """Time until the address may try again; 0 if it may try now."""
        return max(0.0, self._level(address, now_s) + 1 - MOST_FAILURES) * RECOVERY_S

    def failed(self, address: str, now_s: float) -> None:
        """Records a failed attempt."""
        self._failures[address] = (self._level(address, now_s) + 1, now_s)
        self._failures.move_to_end(address)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def _level(self, address: str, now_s: float) -> float:
        level, at_s = self._failures.get(address, (0.0, now_s))
        return max(0.0, level - (now_s - at_s) / RECOVERY_S)
