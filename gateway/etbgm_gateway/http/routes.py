"""The HTTP paths of the API, which the contract states for each method (google.api.http, AIP-127)."""

import re
from dataclasses import dataclass

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor

from etbgm.gateway.v1 import gateway_pb2, shares_pb2, webhooks_pb2

SERVICE = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]
WEBHOOKS = webhooks_pb2.DESCRIPTOR.services_by_name["WebhookService"]
SHARES = shares_pb2.DESCRIPTOR.services_by_name["ShareService"]

_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Route:
    """A method of the API at an HTTP method and path; `has_body` if its request is the JSON body."""

    http_method: str
    path: str
    has_body: bool
    rpc: MethodDescriptor

    @property
    def parameters(self) -> tuple[str, ...]:
        """Fields of the request that are in the path."""
        return tuple(_PARAMETER.findall(self.path))


def routes() -> tuple[Route, ...]:
    """Returns all routes; those with a verb after a colon first, because others also match their paths."""
    found = []
    for rpc in (*SERVICE.methods, *WEBHOOKS.methods, *SHARES.methods):
        rule = rpc.GetOptions().Extensions[annotations_pb2.http]
        if http_method := rule.WhichOneof("pattern"):
            path = str(getattr(rule, http_method))
            found.append(Route(http_method.upper(), path, rule.body == "*", rpc))
    return tuple(sorted(found, key=lambda route: ":" not in route.path))
