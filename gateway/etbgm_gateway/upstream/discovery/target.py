"""Addresses that name a Kubernetes Service."""

import re
from dataclasses import dataclass

SCHEME = "kubernetes://"

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
"""A label of RFC 1123, the form of Kubernetes' names for namespaces, Services and ports."""
_FORM = re.compile(rf"{SCHEME}(?P<namespace>({_LABEL})?)/(?P<service>{_LABEL}):(?P<port>{_LABEL})")


@dataclass(frozen=True, slots=True)
class Target:
    """A port of the pods behind a Service.

    `port` is the port's name in the Service, or the number that the pods listen on. `namespace`
    defaults to that of the gateway's own pod.
    """

    namespace: str | None
    service: str
    port: str

    @staticmethod
    def of(address: str) -> "Target":
        """Reads kubernetes:///service:port or kubernetes://namespace/service:port; raises ValueError."""
        found = _FORM.fullmatch(address.strip())
        if not found:
            raise ValueError(f'"{address}" is not {SCHEME}[namespace]/service:port')
        return Target(found["namespace"] or None, found["service"], found["port"])
