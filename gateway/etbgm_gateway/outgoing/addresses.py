"""Which addresses of the network callers may have the gateway connect to.

A caller could otherwise reach what only the gateway can reach: databases, metadata servers of clouds,
other tenants' machines (server-side request forgery, CWE-918).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from etbgm_kit.errors import InvalidField

Network = IPv4Network | IPv6Network

LONGEST_URL = 1000
"""Length of the longest URL, in characters."""


_PROTOCOLS = ip_network("192.0.0.0/24")
"""For protocols (RFC 6890); Python before 3.12.4 takes parts of it for public."""

NOT_ALLOWED = "the host's address is not public, and the operator has not allowed it"


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What is permitted: public addresses, and those in `networks`; https, and http if `plain_http`."""

    networks: Sequence[Network] = ()
    plain_http: bool = False

    def permits(self, address: str) -> bool:
        """Whether the gateway may connect to the IP address.

        Addresses in IPv6 that carry one of IPv4 (mapped, 6to4, Teredo, NAT64) are not public, whatever
        they carry, because a router or the system may turn them into a private one.
        """
        ip = ip_address(address.partition("%")[0])
        if any(ip in network for network in self.networks):
            return True
        if isinstance(ip, IPv6Address) and (ip.sixtofour or ip.teredo or ip.ipv4_mapped):
            return False
        return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _PROTOCOLS)

    def check(self, url: str, field: str) -> None:
        """Checks the form of the URL; its host is checked when it is connected to. Raises InvalidField."""
        check_form(url, field)
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise InvalidField(field, "must be a URL") from None
        schemes = ("https", "http") if self.plain_http else ("https",)
        if parts.scheme not in schemes:
            raise InvalidField(field, f"must begin with {' or '.join(f'{each}://' for each in schemes)}")
        if not host or "\\" in url:
            raise InvalidField(field, "must name a host")
        if parts.username is not None or parts.password is not None or "#" in url:
            raise InvalidField(field, "must have no user, password or fragment")
        if _is_address(host) and not self.permits(host):
            raise InvalidField(field, NOT_ALLOWED)


def check_form(url: str, field: str) -> None:
    """Raises InvalidField unless the URL has at most LONGEST_URL characters, all of them printable ASCII."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidField(field, f"must be a URL of at most {LONGEST_URL} printable ASCII characters")


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
