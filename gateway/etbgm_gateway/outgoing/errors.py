"""Why bytes could not be moved for a caller."""

from etbgm_kit.errors import EtbgmError, InvalidField


class SourceUnreachable(EtbgmError):
    """The place that a job's video is fetched from does not answer."""

    code = "UNAVAILABLE"
    reason = "SOURCE_UNREACHABLE"

    def __init__(self, why: str) -> None:
        super().__init__(f"the video cannot be fetched: {why}", field="source_url")


class DestinationUnreachable(EtbgmError):
    """The place that files of a result are copied to does not take them."""

    code = "UNAVAILABLE"
    reason = "DESTINATION_UNREACHABLE"

    def __init__(self, why: str) -> None:
        super().__init__(f"a file cannot be copied to the destination: {why}", field="destination.url")


class TooLarge(InvalidField):
    """The video at a source exceeds the limit on uploads."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__("source_url", f"the video exceeds {most_bytes:,} bytes (ETBGM_MAX_UPLOAD_BYTES)")
