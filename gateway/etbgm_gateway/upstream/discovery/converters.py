"""Converts the Kubernetes client's EndpointSlices to our own types."""

from kubernetes.aio.client import V1Endpoint, V1EndpointSlice

from etbgm_gateway.upstream.discovery.slices import Endpoint, Slice


def slice_from_kubernetes(slice_: V1EndpointSlice) -> Slice:
    """Converts a slice from an API server; raises ValueError when it has no name or version."""
    metadata = slice_.metadata
    if metadata is None or metadata.name is None or metadata.resource_version is None:
        raise ValueError("an EndpointSlice without a name or a version")
    return Slice(
        name=metadata.name,
        version=int(metadata.resource_version),
        family=slice_.address_type,
        ports={port.name or "": port.port for port in slice_.ports or () if port.port},
        endpoints=tuple(map(_endpoint, slice_.endpoints or ())),
    )


def _endpoint(endpoint: V1Endpoint) -> Endpoint:
    """Uses the first address, since all belong to one pod; an endpoint that a user created has no pod."""
    address = endpoint.addresses[0]
    pod = (endpoint.target_ref and endpoint.target_ref.uid) or address
    return Endpoint(pod, address, takes_calls=_takes_calls(endpoint))


def _takes_calls(endpoint: V1Endpoint) -> bool:
    """Returns whether the endpoint accepts calls; unknown conditions count as good, as the API specifies.

    `ready` alone is not enough: a Service with publishNotReadyAddresses always sets it to true.
    """
    conditions = endpoint.conditions
    if conditions is None:
        return True
    return conditions.ready is not False and conditions.serving is not False and not conditions.terminating
