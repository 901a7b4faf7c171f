"""Reads and writes objects of buckets, with the credentials of the gateway's own environment."""

from collections.abc import Callable
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from etbgm_gateway.outgoing.errors import DestinationUnreachable, SourceUnreachable, TooLarge
from etbgm_gateway.outgoing.places import BucketObject
from etbgm_kit.artifacts.store import BLOCK_BYTES
from etbgm_kit.errors import InvalidField, NotFound

_DENIED = (PermissionDeniedError, UnauthenticatedError)


def read_object(
    place: BucketObject, path: Path, most_bytes: int, on_fraction: Callable[[float], None]
) -> None:
    """Writes the object to `path`. Blocks. Raises NotFound, InvalidField, TooLarge, SourceUnreachable."""
    try:
        store = from_url(place.bucket_url)
        size = int(obstore.head(store, place.key)["size"])
        if size > most_bytes:
            raise TooLarge(most_bytes)
        with path.open("wb") as file:
            received = 0
            while received < size:
                # One request for each part: obstore ends requests after 30 s.
                end = min(size, received + 16 * BLOCK_BYTES)
                part = obstore.get_range(store, place.key, start=received, end=end)
                received += file.write(part)
                on_fraction(received / size)
    except (FileNotFoundError, NotFoundError):
        raise NotFound("there is no such object", field="source_url") from None
    except _DENIED:
        raise InvalidField("source_url", "the gateway may not read there") from None
    except (BaseError, ValueError) as error:
        raise SourceUnreachable(_kind(error)) from error


def write_object(place: BucketObject, path: Path, media_type: str) -> None:
    """Writes the file at `path` to the object. Blocks. Raises InvalidField, DestinationUnreachable."""
    try:
        attributes = {"Content-Type": media_type}
        obstore.put(from_url(place.bucket_url), place.key, path, attributes=attributes)
    except (FileNotFoundError, NotFoundError):
        raise InvalidField("destination.url", "there is no such bucket") from None
    except _DENIED:
        raise InvalidField("destination.url", "the gateway may not write there") from None
    except (BaseError, ValueError) as error:
        raise DestinationUnreachable(_kind(error)) from error


def _kind(error: Exception) -> str:
    """The kind of an error: its text may name the operator's servers."""
    return type(error).__name__
