"""Links to objects of the artifact store that work without credentials, for a while."""

from datetime import timedelta
from typing import Literal

import obstore
from obstore.store import S3Store, from_url

from etbgm_kit.errors import Conflict


class StoreLinks:
    """Signs links to the store at one URL (AWS Signature Version 4, in the query)."""

    def __init__(self, url: str, endpoint: str = "") -> None:
        """`endpoint` is the store's address as callers reach it; "" if it is the same for them."""
        self._store: S3Store | None = None
        if url.startswith("s3://"):
            made = from_url(url.rstrip("/"), endpoint=endpoint) if endpoint else from_url(url.rstrip("/"))
            assert isinstance(made, S3Store)
            self._store = made

    def sign(self, method: Literal["GET", "PUT"], key: str, lifetime_s: float) -> str:
        """Returns a URL for the object with this key. Raises Conflict if the store is a folder."""
        if self._store is None:
            raise Conflict("the artifact store is a folder: upload and download through the gateway")
        return obstore.sign(self._store, method, key, timedelta(seconds=lifetime_s))
