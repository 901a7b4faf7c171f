"""Errors as facts: what went wrong, in values, with the status it means.

    EtbgmError                  code, reason, facts
    ├── InvalidField            INVALID_ARGUMENT: a field of the request, and why
    ├── NotFound                NOT_FOUND: a named thing that is not there
    ├── Busy                    RESOURCE_EXHAUSTED: come back after `retry_after_s`
    ├── StorageFull             RESOURCE_EXHAUSTED: a disk is full; someone must free space
    ├── NotReady                UNAVAILABLE: the engine is still loading
    ├── ServerStopping          UNAVAILABLE: another server, or this one later, goes on
    ├── Conflict                FAILED_PRECONDITION: the state does not allow it
    └── CallCancelled           CANCELLED: the caller left

Services add their own below InvalidField. `etbgm_kit.serving.status` turns them into gRPC
statuses; nothing here knows of gRPC.
"""

from pathlib import Path
from typing import ClassVar

_MESSAGE_BYTES, _FACT_BYTES = 1000, 200
"""Longer texts are cut: gRPC refuses statuses of over 8 KiB, and a caller's own words may be in them."""


def _cut(text: str, most_bytes: int) -> str:
    data = text.encode()
    return text if len(data) <= most_bytes else f"{data[:most_bytes].decode(errors='ignore')}…"


class EtbgmError(Exception):
    """Base of every error that a caller may see.

    `code` is the name of the gRPC status, `reason` an UPPER_SNAKE_CASE constant
    (google.rpc.ErrorInfo); `facts` are the values that explain it, safe to show
    and to log: never transcripts, prompts or secrets.
    """

    code: ClassVar[str] = "INTERNAL"
    reason: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = _cut(message, _MESSAGE_BYTES)
        self.facts = {name: _cut(str(value), _FACT_BYTES) for name, value in facts.items()}


class InvalidField(EtbgmError):
    """A field of the request has a value that cannot be used.

    `field` is its path in the request, for example "timeline.spans[2]".
    """

    code = "INVALID_ARGUMENT"
    reason = "INVALID_FIELD"

    def __init__(self, field: str, why: str, **facts: object) -> None:
        super().__init__(f"{field}: {why}", **facts)
        self.field = field
        self.why = _cut(why, _MESSAGE_BYTES)


class NotFound(EtbgmError):
    """Something that the request names is not there."""

    code = "NOT_FOUND"
    reason = "NOT_FOUND"


class Busy(EtbgmError):
    """All slots and waiting places are taken; try again after `retry_after_s`."""

    code = "RESOURCE_EXHAUSTED"
    reason = "BUSY"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("all slots and waiting places are taken", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class StorageFull(EtbgmError):
    """The disk of `folder` is full, or its owner's quota; `remedy` says what to free or change."""

    code = "RESOURCE_EXHAUSTED"
    reason = "STORAGE_FULL"

    def __init__(self, folder: Path, remedy: str) -> None:
        super().__init__(f"no space is left in {folder}: {remedy}", folder=folder)


class NotReady(EtbgmError):
    """The engine is still loading."""

    code = "UNAVAILABLE"
    reason = "LOADING"

    def __init__(self) -> None:
        super().__init__("the engine is still loading")


class ServerStopping(EtbgmError):
    """The server ends streams that would last: whoever wants to go on calls again."""

    code = "UNAVAILABLE"
    reason = "STOPPING"

    def __init__(self) -> None:
        super().__init__("the server is stopping; call again")


class Conflict(EtbgmError):
    """The state of the thing does not allow what was asked."""

    code = "FAILED_PRECONDITION"
    reason = "FAILED_PRECONDITION"


class CallCancelled(EtbgmError):
    """The caller left; the work stopped."""

    code = "CANCELLED"
    reason = "CANCELLED"

    def __init__(self) -> None:
        super().__init__("the caller cancelled")
