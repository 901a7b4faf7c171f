"""How schemathesis sends the bodies of uploads, which are bytes."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/offset+octet-stream", "video/*")
def raw(_: Any, value: Any) -> bytes:
    """Whatever was generated, as bytes."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogateescape")
