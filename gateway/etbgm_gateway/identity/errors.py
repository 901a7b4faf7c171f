"""Errors of authentication and authorisation.

EtbgmError
├── Unauthenticated     UNAUTHENTICATED: no key or token, or one that is not valid
├── ScopeMissing        PERMISSION_DENIED: the caller lacks the scope of the method
├── TooManyAttempts     RESOURCE_EXHAUSTED: too many failed attempts from this address
└── IssuerUnreachable   UNAVAILABLE: the identity provider's keys cannot be fetched
"""

from etbgm_kit.errors import Busy, EtbgmError


class Unauthenticated(EtbgmError):
    """No valid key or token came with the call; it does not say which part is wrong."""

    code = "UNAUTHENTICATED"
    reason = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__("send a valid key or token: the header authorization: Bearer …")


class ScopeMissing(EtbgmError):
    """The caller may not call this method."""

    code = "PERMISSION_DENIED"
    reason = "SCOPE_MISSING"

    def __init__(self, scope: str) -> None:
        super().__init__(f"the key or token lacks the scope {scope}", scope=scope)


class IssuerUnreachable(EtbgmError):
    """Tokens cannot be checked at the moment."""

    code = "UNAVAILABLE"
    reason = "ISSUER_UNREACHABLE"

    def __init__(self) -> None:
        super().__init__("the identity provider cannot be reached, so tokens cannot be checked")


class TooManyAttempts(Busy):
    """Too many failed attempts came from the caller's address."""

    reason = "TOO_MANY_ATTEMPTS"
