"""Errors as facts: values that say what went wrong, and the status that each error maps to.

    EtbgmError                  code, reason, facts
    ├── InvalidField            INVALID_ARGUMENT: a field of the request, and why
    ├── NotFound                NOT_FOUND: something that the request names is missing
    ├── Busy                    RESOURCE_EXHAUSTED: retry after `retry_after_s`
    │   └── QuotaExceeded       the caller has used up its quota
    ├── StorageFull             RESOURCE_EXHAUSTED: a disk is full; someone must free space
    ├── NotReady                UNAVAILABLE: the engine is still loading
    ├── ServerStopping          UNAVAILABLE: retry on another server, or on this one later
    ├── Conflict                FAILED_PRECONDITION: the state does not allow it
    └── CallCancelled           CANCELLED: the caller left

Services derive their own errors from InvalidField. `etbgm_kit.serving.status` converts errors
to gRPC statuses; this module does not depend on gRPC.
"""

from pathlib import Path
from typing import ClassVar

_MESSAGE_BYTES, _FACT_BYTES = 1000, 200
"""Longer texts are cut: gRPC refuses statuses over 8 KiB, and texts may quote what the caller sent."""

_RETRYABLE = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED", "DEADLINE_EXCEEDED")
"""Codes of errors that pass."""


def _cut(text: str, most_bytes: int) -> str:
    data = text.encode()
    return text if len(data) <= most_bytes else f"{data[:most_bytes].decode(errors='ignore')}…"


class EtbgmError(Exception):
    """Base of every error that a caller may see.

    `code` is the name of the gRPC status, `reason` an UPPER_SNAKE_CASE constant
    (google.rpc.ErrorInfo); `facts` are values that explain the error and are safe to
    show and to log: never transcripts, prompts or secrets.
    """

    code: ClassVar[str] = "INTERNAL"
    reason: ClassVar[str] = "INTERNAL"

    @property
    def is_retryable(self) -> bool:
        """Whether the same request may succeed later without a change by its caller or the operator."""
        return self.code in _RETRYABLE

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = _cut(message, _MESSAGE_BYTES)
        self.facts = {name: _cut(str(value), _FACT_BYTES) for name, value in facts.items()}


class InvalidField(EtbgmError):
    """A field of the request has an invalid value.

    `field` is its path in the request, for example "timeline.spans[2]".
    """

    code = "INVALID_ARGUMENT"
    reason = "INVALID_FIELD"

    def __init__(self, field: str, why: str, **facts: object) -> None:
        super().__init__(f"{field}: {why}", **facts)
        self.field = field
        self.why = _cut(why, _MESSAGE_BYTES)


class NotFound(EtbgmError):
    """Something that the request names does not exist."""

    code = "NOT_FOUND"
    reason = "NOT_FOUND"


class Busy(EtbgmError):
    """All slots and waiting places are taken; the caller may retry after `retry_after_s`."""

    code = "RESOURCE_EXHAUSTED"
    reason = "BUSY"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("all slots and waiting places are taken", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class QuotaExceeded(Busy):
    """`subject` has used up what it may use; `limit` says how much that is."""

    reason = "QUOTA_EXCEEDED"

    def __init__(self, subject: str, limit: str, retry_after_s: float) -> None:
        EtbgmError.__init__(
            self, f"the quota is used up: {limit}", subject=subject, retry_after_s=round(retry_after_s, 3)
        )
        self.subject, self.limit, self.retry_after_s = subject, limit, retry_after_s


class StorageFull(EtbgmError):
    """The disk of `folder` is full, or a quota is used up; `remedy` says what to free or change.

    `folder` may also be the name of another place.
    """

    code = "RESOURCE_EXHAUSTED"
    reason = "STORAGE_FULL"

    @property
    def is_retryable(self) -> bool:
        """False: a disk stays full until someone frees space."""
        return False

    def __init__(self, folder: Path | str, remedy: str) -> None:
        super().__init__(f"no space is left in {folder}: {remedy}", folder=folder)


class NotReady(EtbgmError):
    """The engine is still loading."""

    code = "UNAVAILABLE"
    reason = "LOADING"

    def __init__(self) -> None:
        super().__init__("the engine is still loading")


class ServerStopping(EtbgmError):
    """The server is stopping and ends its open-ended streams; the caller should call again."""

    code = "UNAVAILABLE"
    reason = "STOPPING"

    def __init__(self) -> None:
        super().__init__("the server is stopping; call again")


class Conflict(EtbgmError):
    """The current state does not allow the request."""

    code = "FAILED_PRECONDITION"
    reason = "FAILED_PRECONDITION"


class CallCancelled(EtbgmError):
    """The caller left, so the work was stopped."""

    code = "CANCELLED"
    reason = "CANCELLED"

    def __init__(self) -> None:
        super().__init__("the caller cancelled")
