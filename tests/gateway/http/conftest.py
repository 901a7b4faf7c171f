"""A gateway that also listens for HTTP."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import free_port


@pytest.fixture(scope="session")
def http_gateway(
    tmp_path_factory: pytest.TempPathFactory, shared_services: FakeServices
) -> Iterator[tuple[Gateway, str]]:
    """The gateway and the URL of its API over HTTP."""
    address = f"127.0.0.1:{free_port()}"
    gateway = Gateway(tmp_path_factory.mktemp("http"), shared_services, http_address=address).start()
    yield gateway, f"http://{address}"
    assert gateway.stop() == 0


@pytest.fixture
async def http(http_gateway: tuple[Gateway, str]) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of it."""
    async with httpx2.AsyncClient(base_url=http_gateway[1], timeout=30) as client:
        yield client
