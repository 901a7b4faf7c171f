"""Which places callers may have the gateway read videos from and write results to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from etbgm_gateway.outgoing.addresses import check_form
from etbgm_kit.errors import InvalidField

BUCKETS = ("s3", "gs", "az")
"""Schemes of object stores."""

_TENANT = "{tenant}"
_SAFE_TENANT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]*")
_PREFIX = re.compile(r"(?:https?://|(?:https?|s3|gs|az)://[A-Za-z0-9.:\[\]_-]+/)\S*")

NOT_PERMITTED = "the operator does not permit this place"


def checked_prefix(prefix: str) -> str:
    """Returns the prefix of permitted URLs. Raises ValueError unless it ends a host and a folder."""
    if not _PREFIX.fullmatch(prefix) or not prefix.endswith("/"):
        raise ValueError(f"{prefix!r} must be https:// or a URL of a folder, such as s3://bucket/videos/")
    return prefix


@dataclass(frozen=True, slots=True)
class PlaceRules:
    """What is permitted: URLs that begin with one of `prefixes`, in which {tenant} is the caller's tenant."""

    prefixes: Sequence[str] = ()

    def check(self, url: str, field: str, tenant: str) -> None:
        """Raises InvalidField, naming `field`, unless the tenant may use the URL.

        A path that could leave its folder (`..`, in any encoding) is not permitted.
        """
        check_form(url, field)
        if not any(url.startswith(prefix) for prefix in self._of(tenant)):
            raise InvalidField(field, NOT_PERMITTED)
        segments = unquote(unquote(urlsplit(url).path)).replace("\\", "/").split("/")
        if any(segment in (".", "..") for segment in segments):
            raise InvalidField(field, "must not contain the path segments . and ..")

    def _of(self, tenant: str) -> list[str]:
        is_safe = _SAFE_TENANT.fullmatch(tenant) is not None
        return [each.replace(_TENANT, tenant) for each in self.prefixes if is_safe or _TENANT not in each]


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object, or a folder of objects, in a bucket."""

    bucket_url: str
    key: str

    @classmethod
    def of(cls, url: str, field: str) -> "BucketObject":
        """Takes the URL apart. Raises InvalidField unless it names a bucket and a key."""
        parts = urlsplit(url)
        key = parts.path.removeprefix("/")
        if parts.scheme not in BUCKETS or not parts.netloc or "@" in parts.netloc:
            raise InvalidField(field, "must be a URL of a bucket, such as s3://bucket/folder/")
        if parts.query or parts.fragment or "//" in parts.path:
            raise InvalidField(field, "must have neither a query, a fragment nor empty path segments")
        return cls(f"{parts.scheme}://{parts.netloc}", key)


def is_bucket(url: str) -> bool:
    """Whether the URL names an object store."""
    return url.partition("://")[0] in BUCKETS


def without_query(url: str) -> str:
    """The URL without its query, which may have a signature."""
    return url.partition("?")[0]
