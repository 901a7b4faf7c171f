"""Errors that only the gateway raises.

EtbgmError
├── RequestIdUsed       ALREADY_EXISTS: the request id belongs to another request
└── BeyondEnd           OUT_OF_RANGE: the offset lies beyond the last byte
"""

from etbgm_kit.errors import EtbgmError


class RequestIdUsed(EtbgmError):
    """The request id was used for a different request."""

    code = "ALREADY_EXISTS"
    reason = "REQUEST_ID_USED"

    def __init__(self, request_id: str) -> None:
        super().__init__("the request id was used for another request", request_id=request_id)


class BeyondEnd(EtbgmError):
    """An artifact ends before the requested offset."""

    code = "OUT_OF_RANGE"
    reason = "BEYOND_END"

    def __init__(self, offset_bytes: int, size_bytes: int) -> None:
        super().__init__(
            "the offset lies beyond the artifact's end", offset_bytes=offset_bytes, size_bytes=size_bytes
        )
