"""The audit log: who changed what, and whether it was allowed."""

import logging
from collections.abc import Collection
from typing import Any

from google.protobuf.message import Message

from etbgm_gateway.identity.types import NOBODY, current_caller
from etbgm_kit.errors import EtbgmError
from etbgm_kit.serving.interceptor import Context, Stream, Unary, Wrapping

log = logging.getLogger(__name__)

_IDS = ("job_id", "key_id", "webhook_id", "share_id", "tenant")
"""Fields of requests and responses that say what was changed."""
_LONGEST_ID = 64


class AuditInterceptor(Wrapping):
    """Logs each call of some methods when it has ended, as one line "audit".

    It runs outside of authentication, so that refused attempts are logged too. A line has the caller's
    tenant and its key or subject, the method, what it was about and the outcome: "OK",
    the reason of an error, or "CANCELLED".
    """

    def __init__(self, methods: Collection[str]) -> None:
        """`methods` are the last parts of the names of the methods to log."""
        self._methods = methods

    def unary(self, inner: Unary, method: str) -> Unary:
        """See Wrapping."""
        name = method.rpartition("/")[2]
        if name not in self._methods:
            return inner

        async def call(request: object, context: Context) -> Message:
            about, outcome = _ids_in(request), "CANCELLED"
            try:
                response = await inner(request, context)
                about |= _ids_in(response)
                outcome = "OK"
                return response
            except EtbgmError as error:
                outcome = error.reason
                raise
            except Exception:
                outcome = "INTERNAL"
                raise
            finally:
                log.info("audit", extra={"method": name, "outcome": outcome, **_who(), **about})

        return call

    def stream(self, inner: Stream, method: str) -> Stream:
        """See Wrapping; methods that stream responses change nothing."""
        return inner


def _who() -> dict[str, str]:
    """The caller; {} if it is unknown."""
    caller = current_caller.get()  # set by what runs inside
    return {} if caller is NOBODY else {"caller_tenant": caller.tenant, "caller": caller.name}


def _ids_in(message: Any) -> dict[str, str]:
    """The ids in a message, or in the job or key that it has; {} for a stream of messages."""
    if not isinstance(message, Message):
        return {}
    found = {}
    for field, value in message.ListFields():
        if field.name in _IDS:
            found[field.name] = str(value)[:_LONGEST_ID]
        elif field.name in ("job", "key", "webhook", "share") and isinstance(value, Message):
            found |= _ids_in(value)
    return found
