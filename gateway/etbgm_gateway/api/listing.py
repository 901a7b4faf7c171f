"""Pages of jobs: what ListJobs asks for, and the tokens that lead from page to page."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.api.converters import states_from_pb
from etbgm_gateway.api.filters import condition_of, orders_of
from etbgm_gateway.api.limits import check_text
from etbgm_gateway.api.validation import is_id
from etbgm_gateway.store.queries import SORTABLE, STATE, Comparison, Either, Every, Order, Page
from etbgm_kit.errors import InvalidField

DEFAULT_PAGE, LARGEST_PAGE = 20, 100
_MOST_CHARS = 1000
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Listing:
    """A request for a page; `digest` identifies the list that it is a page of."""

    page: Page
    digest: str

    def token_after(self, keys: Sequence[str | float], job_id: str) -> str:
        """Returns the token of the page after the job with these sort keys, all of SORTABLE, and id."""
        by_name = dict(zip(SORTABLE, keys, strict=True))
        values = [by_name[order.field] for order in self.page.orders]
        text = json.dumps([self.digest, values, job_id], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def listing_of(request: gateway_pb2.ListJobsRequest) -> Listing:
    """Reads the request; a page size over LARGEST_PAGE counts as that. Raises InvalidField."""
    size = request.page_size or DEFAULT_PAGE
    if size < 0:
        raise InvalidField("page_size", "must not be negative")
    for field in ("filter", "order_by", "page_token"):
        check_text(getattr(request, field), field, _MOST_CHARS)
    states = [Comparison("state", "=", state) for state in states_from_pb(request.states)]
    condition = condition_of(request.filter)
    if states:
        condition = Every((condition, Either(states)))
    orders = orders_of(request.order_by)
    digest = hashlib.sha256(repr((condition, orders)).encode()).hexdigest()[:_DIGEST]
    after = _after(request.page_token, digest, orders) if request.page_token else None
    return Listing(Page(condition, orders, min(size, LARGEST_PAGE), after), digest)


def _after(token: str, digest: str, orders: Sequence[Order]) -> tuple[list[str | float], str]:
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        of, values, job_id = json.loads(text)
        typed = [
            str(value) if order.field == STATE else float(value)
            for order, value in zip(orders, values, strict=True)
        ]
        is_whole = isinstance(job_id, str) and is_id(job_id)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        is_whole = False
    if not is_whole:
        raise InvalidField("page_token", "is not one that this gateway has sent")
    if of != digest:
        raise InvalidField("page_token", "belongs to a list with another filter or order")
    return typed, job_id
