"""Finds out who calls: by the key file, an API key, a token, a session, or a link to a job."""

import time
from collections import OrderedDict
from typing import Protocol

from etbgm_gateway.identity.errors import TooManyAttempts, Unauthenticated
from etbgm_gateway.identity.throttle import Throttle
from etbgm_gateway.identity.types import Caller

REMEMBER_S = 5.0
"""How long a caller is remembered: a revoked key is accepted for at most this long."""

_REMEMBERED = 1000
_SCHEME = "bearer "


class Credentials(Protocol):
    """One kind of credentials."""

    def caller(self, text: str) -> Caller | None:
        """Returns the caller that the text identifies; None if it is not valid. Blocks."""

    def holds(self, name: str, sha256: str) -> bool:
        """Whether the text with this SHA-256 still identifies the caller `name`, so that its sessions last.

        Blocks.
        """


def text_of(header: str) -> str:
    """Returns the key or token in an authorization header; "" without one."""
    return header[len(_SCHEME) :].strip() if header.lower().startswith(_SCHEME) else ""


class Authentication:
    """Identifies callers. Methods block."""

    def __init__(self, *kinds: Credentials) -> None:
        """Accepts these kinds of credentials."""
        self._kinds, self._throttle = kinds, Throttle()
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    def known(self, header: str) -> Caller | None:
        """Returns the caller if it was identified by this header just before. Does not block."""
        caller, until_s = self._known.get(header, (None, 0.0))
        return caller if time.monotonic() < until_s else None

    def identify(self, header: str, address: str) -> Caller:
        """Returns the caller with this authorization header.

        `address` is where the call comes from. Raises Unauthenticated, TooManyAttempts.
        """
        now_s = time.monotonic()
        if wait_s := self._throttle.wait_s(address, now_s):
            raise TooManyAttempts(wait_s)
        text = text_of(header)
        caller = next((found for kind in self._kinds if (found := kind.caller(text))), None) if text else None
        if caller is None:
            if text:
                self._throttle.failed(address, now_s)
            raise Unauthenticated
        self._known[header] = (caller, now_s + REMEMBER_S)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return caller
