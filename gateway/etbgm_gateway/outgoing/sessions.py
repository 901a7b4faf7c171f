"""HTTP sessions that connect only to permitted addresses."""

import asyncio
import errno
import socket
from typing import Any

import aiohttp

from etbgm_gateway.outgoing.addresses import NOT_ALLOWED, AddressRules

FAILURES = (aiohttp.ClientError, TimeoutError)
"""What requests raise; see `reason`."""

CONNECT_S = 10.0
"""Time to resolve a name and to connect."""


def open_session(
    rules: AddressRules, total_s: float, resolver: aiohttp.abc.AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """Opens a session whose requests take at most `total_s` seconds; needs a running event loop.

    Each address is checked when a socket for it is made, whatever form the host has in the URL or in a
    redirect and whatever its name resolved to before. Environment variables for proxies have no effect.
    Requests raise FAILURES.
    """

    def make_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, (address, *_) = info
        if not rules.permits(address):
            raise PermissionError(errno.EACCES, NOT_ALLOWED)
        return socket.socket(family=family, type=kind, proto=protocol)

    connector = aiohttp.TCPConnector(
        socket_factory=make_socket, resolver=resolver, use_dns_cache=False, limit_per_host=8
    )
    timeout = aiohttp.ClientTimeout(total=total_s, connect=CONNECT_S)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, loop=asyncio.get_running_loop())


def reason(error: aiohttp.ClientError | TimeoutError) -> str:
    """Returns why a request of such a session failed, as words for its caller: no addresses."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "the host's certificate cannot be verified"
    if isinstance(error, aiohttp.ClientConnectorError):
        is_refused = error.os_error.errno == errno.EACCES
        return NOT_ALLOWED if is_refused else "the host does not accept connections"
    if isinstance(error, aiohttp.InvalidURL):
        return "the host's name is invalid"
    return "the connection failed"
