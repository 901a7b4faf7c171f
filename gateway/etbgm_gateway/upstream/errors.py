"""What a caller learns when a service gave no answer of its own: the service's name, never an address.

EtbgmError
└── ServiceError            service: which one
    ├── ServiceUnavailable  UNAVAILABLE: no replica of it takes calls
    ├── ServiceBusy         RESOURCE_EXHAUSTED: all of its replicas refused the call until its time ended
    ├── ServiceLost         UNAVAILABLE: replicas were lost again and again while they computed the call
    ├── ServiceTimeout      DEADLINE_EXCEEDED: a replica took the call and did not answer in time
    └── ServiceFailed       INTERNAL: the call broke in a way that no retry mends
"""

import grpc
from grpc_status import rpc_status

from etbgm_kit.errors import EtbgmError


class ServiceError(EtbgmError):
    """A call to a service failed, and not by an error that the service itself has described."""

    def __init__(self, service: str, what: str, **facts: object) -> None:
        super().__init__(f"the {service} service {what}", service=service, **facts)


class ServiceUnavailable(ServiceError):
    """No replica of the service took calls for `waited_s`."""

    code = "UNAVAILABLE"
    reason = "SERVICE_UNAVAILABLE"

    def __init__(self, service: str, waited_s: float) -> None:
        super().__init__(service, f"had no replica that takes calls for {waited_s:.0f} s")


class ServiceBusy(ServiceError):
    """All replicas of the service were busy for `waited_s`."""

    code = "RESOURCE_EXHAUSTED"
    reason = "SERVICE_BUSY"

    def __init__(self, service: str, waited_s: float) -> None:
        super().__init__(service, f"had no free replica for {waited_s:.0f} s")


class ServiceLost(ServiceError):
    """Replicas of the service ended `times` times while they computed the call."""

    code = "UNAVAILABLE"
    reason = "SERVICE_LOST"

    def __init__(self, service: str, times: int) -> None:
        super().__init__(service, f"was lost {times} times while it computed this", times=times)


class ServiceTimeout(ServiceError):
    """A replica took the call and did not answer within `deadline_s`."""

    code = "DEADLINE_EXCEEDED"
    reason = "SERVICE_TIMEOUT"

    def __init__(self, service: str, deadline_s: float) -> None:
        super().__init__(service, f"did not answer within {deadline_s:.0f} s")


class ServiceFailed(ServiceError):
    """The call ended in a way that the service has not described: `how`, a gRPC status for example."""

    code = "INTERNAL"
    reason = "SERVICE_FAILED"

    def __init__(self, service: str, how: str) -> None:
        super().__init__(service, f"ended a call with {how}", how=how)


def is_described(failure: grpc.aio.AioRpcError) -> bool:
    """True when a server of ours described its error; else its text is gRPC's, with addresses in it."""
    return rpc_status.from_call(failure) is not None  # type: ignore[arg-type]  # has what a Call has
