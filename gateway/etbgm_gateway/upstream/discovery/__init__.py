"""Finds the replicas of a service: at fixed addresses, or wherever Kubernetes runs them."""

from etbgm_gateway.upstream.discovery.static import Static
from etbgm_gateway.upstream.discovery.target import SCHEME, Target
from etbgm_gateway.upstream.discovery.types import Discovery


def checked(addresses: str) -> str:
    """Returns `addresses` unchanged; raises ValueError if `discovery_of` cannot read them."""
    if addresses.strip().startswith(SCHEME):
        Target.of(addresses)
    else:
        Static(addresses)
    return addresses


def discovery_of(addresses: str) -> Discovery:
    """Returns the discovery for a setting: host:port, several separated by commas, or see Target.of.

    Raises ValueError, or RuntimeError if a Service is named and the Kubernetes client is not installed.
    """
    if not addresses.strip().startswith(SCHEME):
        return Static(addresses)
    try:
        from etbgm_gateway.upstream.discovery.endpoint_slices import EndpointSlices
    except ImportError as error:
        raise RuntimeError(f"{addresses} needs: pip install 'etbgm-gateway[kubernetes]'") from error
    return EndpointSlices(Target.of(addresses))
