"""Errors of calls that a service did not answer itself. They contain the service's name, never an address.

EtbgmError
└── ServiceError            service: the service's name
    ├── ServiceUnavailable  UNAVAILABLE: no replica accepts calls
    ├── ServiceBusy         RESOURCE_EXHAUSTED: all replicas refused the call until its time was up
    ├── ServiceLost         UNAVAILABLE: the call lost its replica repeatedly while it computed
    ├── ServiceTimeout      DEADLINE_EXCEEDED: a replica accepted the call and did not answer in time
    └── ServiceFailed       INTERNAL: the call failed in a way that a retry cannot fix
        └── MethodMissing   INTERNAL: the service is of a release that lacks the method
"""

import grpc
from grpc_status import rpc_status

from etbgm_kit.errors import EtbgmError


class ServiceError(EtbgmError):
    """A call to a service failed without an error that the service itself described."""

    def __init__(self, service: str, what: str, **facts: object) -> None:
        super().__init__(f"the {service} service {what}", service=service, **facts)


class ServiceUnavailable(ServiceError):
    """No replica of the service accepted calls for `waited_s`."""

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
    """The call lost its replica `times` times while it computed."""

    code = "UNAVAILABLE"
    reason = "SERVICE_LOST"

    def __init__(self, service: str, times: int) -> None:
        super().__init__(service, f"was lost {times} times while it computed this", times=times)


class ServiceTimeout(ServiceError):
    """A replica accepted the call and did not answer within `deadline_s`."""

    code = "DEADLINE_EXCEEDED"
    reason = "SERVICE_TIMEOUT"

    def __init__(self, service: str, deadline_s: float) -> None:
        super().__init__(service, f"did not answer within {deadline_s:.0f} s")


class ServiceFailed(ServiceError):
    """The call failed in a way that the service did not describe: `how`, for example a gRPC status."""

    code = "INTERNAL"
    reason = "SERVICE_FAILED"

    def __init__(self, service: str, how: str) -> None:
        super().__init__(service, f"ended a call with {how}", how=how)


class MethodMissing(ServiceFailed):
    """The service does not know the method: it is of an earlier release."""

    reason = "METHOD_MISSING"

    def __init__(self, service: str) -> None:
        super().__init__(service, "UNIMPLEMENTED")


def is_described(failure: grpc.aio.AioRpcError) -> bool:
    """True when one of our servers described the error; gRPC's own errors have addresses in their text."""
    return rpc_status.from_call(failure) is not None  # type: ignore[arg-type]  # has what a Call has
