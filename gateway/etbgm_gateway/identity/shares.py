"""Links to single jobs as credentials."""

import hmac
import time

from etbgm_gateway.identity.texts import SHARE, digest, id_of, new_text
from etbgm_gateway.identity.types import READ, Caller
from etbgm_gateway.store.shares import ShareRow, ShareStore


class Shares:
    """Makes links and recognises those who have one. Methods block."""

    def __init__(self, store: ShareStore) -> None:
        self._store = store

    def create(self, tenant: str, job_id: str, lifetime_s: float) -> tuple[str, ShareRow]:
        """Returns the text of a new link, which cannot be read again, and its row. Raises InvalidField."""
        text, share_id = new_text(SHARE)
        now_s = time.time()
        row = ShareRow(share_id, job_id, tenant, digest(text), now_s, now_s + lifetime_s)
        self._store.add(row)
        return text, row

    def caller(self, text: str) -> Caller | None:
        """Returns a caller who may read one job; None if the link is unknown, deleted or expired."""
        share_id = id_of(SHARE, text)
        row = self._store.get(share_id) if share_id else None
        if row is None or not hmac.compare_digest(row.sha256, digest(text)):
            return None
        return Caller(row.tenant, frozenset({READ}), f"share {share_id}", job_id=row.job_id)

    def holds(self, name: str, sha256: str) -> bool:
        """Never: links open no sessions."""
        return False
