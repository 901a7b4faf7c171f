"""The EndpointSlices of one Service, kept up to date, and what they say. Pure.

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod at one of its addresses."""

    pod: str
    address: str
    takes_calls: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of a Service's pods at their addresses of one `family`, IPv4 or IPv6.

    `version` is the resource version: a decimal number that grows with each change
    (https://kep.k8s.io/5504).
    """

    name: str
    version: int
    family: str
    ports: Mapping[str, int]
    endpoints: tuple[Endpoint, ...]


class Slices:
    """What list and watch have told so far.

    An event that is older than what is known of its slice changes nothing, so duplicates and
    events out of order do no harm.
    """

    def __init__(self, slices: Iterable[Slice], version: int) -> None:
        """All slices that there were at `version`."""
        self._slices = {slice_.name: slice_ for slice_ in slices}
        self._listed = self._newest = version
        self._told = {name: slice_.version for name, slice_ in self._slices.items()}

    @property
    def version(self) -> int:
        """From here on a watch has to go on."""
        return self._newest

    def take(self, slice_: Slice, *, deleted: bool) -> None:
        """A watch says that the slice was added, changed or deleted."""
        if slice_.version <= self._told.get(slice_.name, self._listed):
            return
        self._told[slice_.name] = slice_.version
        self.reach(slice_.version)
        if deleted:
            self._slices.pop(slice_.name, None)
        else:
            self._slices[slice_.name] = slice_

    def reach(self, version: int) -> None:
        """A watch says that it has told all up to `version`: a bookmark."""
        self._newest = max(self._newest, version)

    def addresses(self, port: str) -> frozenset[str]:
        """host:port of every pod that takes calls on `port`, a name or a number: one address for each.

        A pod that moves between slices is in both for a moment: what was said last counts. A
        pod of a dual-stack Service is in slices of both families: its IPv4 address is taken.
        """
        pods: dict[str, dict[str, str | None]] = {}
        for slice_ in sorted(self._slices.values(), key=lambda slice_: slice_.version):
            number = _number(slice_, port)
            for endpoint in slice_.endpoints if number else ():
                address = f"{_host(endpoint.address)}:{number}" if endpoint.takes_calls else None
                pods.setdefault(endpoint.pod, {})[slice_.family] = address
        # A pod that takes no calls at its IPv4 address takes none: the slices of IPv6 may say so later.
        chosen = (families.get("IPv4", families.get("IPv6")) for families in pods.values())
        return frozenset(address for address in chosen if address)


def _number(slice_: Slice, port: str) -> int | None:
    if port.isdecimal():
        return int(port) if int(port) in slice_.ports.values() else None
    return slice_.ports.get(port)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
