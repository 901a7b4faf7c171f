"""Connections to real servers on loopback, by names that a resolver of the test's own knows."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from etbgm_gateway.outgoing.addresses import NOT_ALLOWED, AddressRules
from etbgm_gateway.outgoing.sessions import open_session, reason

HERE = AddressRules((ip_network("127.0.0.1/32"),), plain_http=True)
"""Permits 127.0.0.1, but not 127.0.0.2, where the same server listens."""


class Names(AbstractResolver):
    """Answers with the next of its addresses, whatever the name."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def serving(handle: Any) -> AsyncIterator[int]:
    """A server on all addresses of loopback; yields its port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "0.0.0.0", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def refusal(url: str, *addresses: str, rules: AddressRules = HERE) -> str:
    """Why a request fails."""
    async with open_session(rules, 5, Names(*addresses) if addresses else None) as session:
        with pytest.raises((aiohttp.ClientError, TimeoutError)) as caught:
            async with session.get(url) as response:
                await response.read()
    return reason(caught.value)


async def test_a_permitted_address_answers() -> None:
    async with (
        serving(hello) as port,
        open_session(HERE, 5, Names("127.0.0.1")) as session,
        session.get(f"http://example.com:{port}/") as response,
    ):
        assert await response.text() == "hello"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "127.2", "0x7f000002", "2130706434", "0177.0.0.2", "127.0.2", "127.0.0.2.", "0", "0.0.0.0"],
)
async def test_no_form_of_another_address_is_connected_to(host: str) -> None:
    async with serving(hello) as port:
        why = await refusal(f"http://{host}:{port}/")
    assert why in (NOT_ALLOWED, "the host's name cannot be resolved", "the host's name is invalid")


async def test_loopback_itself_needs_permission() -> None:
    async with serving(hello) as port:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            assert await refusal(f"http://{host}:{port}/", rules=AddressRules()) == NOT_ALLOWED


async def test_a_name_that_changes_its_address_is_checked_each_time() -> None:
    async with serving(hello) as port, open_session(HERE, 5, Names("127.0.0.1", "127.0.0.2")) as session:
        url, once = f"http://example.com:{port}/", {"connection": "close"}
        async with session.get(url, headers=once) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(url, headers=once)
    assert reason(caught.value) == NOT_ALLOWED


async def test_redirects_are_checked() -> None:
    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://{request.path.strip('/')}/")

    async with serving(redirect) as port:
        for target in ("127.0.0.2", "169.254.169.254", "[::1]", "10.0.0.1"):
            assert await refusal(f"http://127.0.0.1:{port}/{target}") == NOT_ALLOWED
        answer = await refusal(f"http://127.0.0.1:{port}/other.example", "127.0.0.2")
        assert answer == NOT_ALLOWED


async def test_reasons_name_no_address() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert await refusal(f"http://127.0.0.1:{port}/") == "the host does not accept connections"
    assert await refusal("http://nowhere.invalid/") == "the host's name cannot be resolved"
    async with serving(hello) as port:
        assert "127" not in await refusal(f"https://127.0.0.1:{port}/")
