"""Lists of jobs, as the job store reads them for its users."""

from collections.abc import Sequence

import sqlalchemy as sa

from etbgm_gateway.store.jobs import JOBS, JobRow
from etbgm_gateway.store.queries import Page, clause_of, ordered, sort_keys

_C = JOBS.c
_MOST_LISTED_BYTES = 16 << 10
"""Jobs of earlier versions have no summary; a request over this size is then left out of lists."""

_SHORT = sa.case((sa.func.length(_C.request) <= _MOST_LISTED_BYTES, _C.request), else_=b"")
_SUMMARY = sa.func.coalesce(_C.summary, _SHORT)
_LISTED = {"request": _SUMMARY.label("request"), "result": sa.null().label("result")}
_SUMMARISED = tuple(_LISTED.get(name, _C[name]) for name in JobRow.__slots__)

Listed = tuple[JobRow, Sequence[str | float]]
"""A job without its result, with the summary as its request, and the job's sort keys, all of SORTABLE."""


class JobLists:
    """Reads lists of jobs. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def page(self, tenant: str, page: Page) -> list[Listed]:
        """Returns the jobs of a page of the tenant, and one more if there is one."""
        terms, later = ordered(page)
        query = sa.select(*_SUMMARISED, *(key.label(f"key{i}") for i, key in enumerate(sort_keys())))
        query = query.where(_C.tenant == tenant, clause_of(page.condition), later)
        query = query.order_by(*terms).limit(page.size + 1)
        fields = len(_SUMMARISED)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [(JobRow(*row[:fields]), tuple(row[fields:])) for row in rows]
