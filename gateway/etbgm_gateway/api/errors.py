"""Errors that only the gateway raises.

EtbgmError
├── RequestIdUsed       ALREADY_EXISTS: the request id belongs to another request
├── UploadIdUsed        ALREADY_EXISTS: the upload id belongs to another file
├── UploadIdle          ABORTED: the sender of an upload was silent for too long
└── BeyondEnd           OUT_OF_RANGE: the offset lies beyond the last byte
"""

from etbgm_kit.errors import EtbgmError


class RequestIdUsed(EtbgmError):
    """The request id was used for a different request."""

    code = "ALREADY_EXISTS"
    reason = "REQUEST_ID_USED"

    def __init__(self) -> None:
        super().__init__("the request id was used for another request")


class UploadIdUsed(EtbgmError):
    """The upload id was used for a file with another size, SHA-256 or media type."""

    code = "ALREADY_EXISTS"
    reason = "UPLOAD_ID_USED"

    def __init__(self, upload_id: str) -> None:
        super().__init__("the upload id was used for another file", upload_id=upload_id)


class UploadIdle(EtbgmError):
    """The sender of an upload sent nothing for `idle_s`; it can resume the upload."""

    code = "ABORTED"
    reason = "UPLOAD_IDLE"

    def __init__(self, idle_s: float) -> None:
        super().__init__(f"nothing was sent for {idle_s:g} s; resume the upload", idle_s=idle_s)


class BeyondEnd(EtbgmError):
    """An artifact ends before the requested offset."""

    code = "OUT_OF_RANGE"
    reason = "BEYOND_END"

    def __init__(self, offset_bytes: int, size_bytes: int) -> None:
        super().__init__(
            "the offset lies beyond the artifact's end", offset_bytes=offset_bytes, size_bytes=size_bytes
        )
