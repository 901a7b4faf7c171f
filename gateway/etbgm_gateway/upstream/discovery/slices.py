"""The EndpointSlices of one Service, kept up to date, and the addresses in them. Pure.

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod and one of its addresses."""

    pod: str
    address: str
    takes_calls: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of a Service's pods with their addresses of one `family`, IPv4 or IPv6.

    `version` is the resource version: a decimal number that grows with each change
    (https://kep.k8s.io/5504).
    """

    name: str
    version: int
    family: str
    ports: Mapping[str, int]
    endpoints: tuple[Endpoint, ...]


class Slices:
    """The slices received from list and watch so far.

    An event older than the stored state of its slice is ignored, so duplicates and events out of
    order do no harm.
    """

    def __init__(self, slices: Iterable[Slice], version: int) -> None:
        """Starts with all slices that existed at `version`."""
        self._slices = {slice_.name: slice_ for slice_ in slices}
        self._listed = self._newest = version
        self._told = {name: slice_.version for name, slice_ in self._slices.items()}

    @property
    def version(self) -> int:
        """The version from which a watch must continue."""
        return self._newest

    def take(self, slice_: Slice, *, deleted: bool) -> None:
        """Applies a watch event: the slice was added, changed or deleted."""
        if slice_.version <= self._told.get(slice_.name, self._listed):
            return
        self._told[slice_.name] = slice_.version
        self.reach(slice_.version)
        if deleted:
            self._slices.pop(slice_.name, None)
        else:
            self._slices[slice_.name] = slice_

    def reach(self, version: int) -> None:
        """Applies a bookmark: the watch has sent all events up to `version`."""
        self._newest = max(self._newest, version)

    def addresses(self, port: str) -> frozenset[str]:
        """Returns host:port for every pod that accepts calls on `port` (a name or number), one per pod.

        A pod that moves between slices is briefly in both: the newer slice counts. A pod of a
        dual-stack Service is in slices of both families: its IPv4 address is used.
        """
        pods: dict[str, dict[str, str | None]] = {}
        for slice_ in sorted(self._slices.values(), key=lambda slice_: slice_.version):
            number = _number(slice_, port)
            for endpoint in slice_.endpoints if number else ():
                address = f"{_host(endpoint.address)}:{number}" if endpoint.takes_calls else None
                pods.setdefault(endpoint.pod, {})[slice_.family] = address
        # A pod that accepts no calls at its IPv4 address accepts none: its IPv6 slice may be updated later.
        chosen = (families.get("IPv4", families.get("IPv6")) for families in pods.values())
        return frozenset(address for address in chosen if address)


def _number(slice_: Slice, port: str) -> int | None:
    if port.isdecimal():
        return int(port) if int(port) in slice_.ports.values() else None
    return slice_.ports.get(port)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
