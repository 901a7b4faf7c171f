"""Ranged downloads over HTTP."""

import hashlib

import httpx2
import pytest

from tests.gateway.http.test_jobs import put

pytestmark = pytest.mark.process

DATA = bytes(range(256)) * 9000
"""2.3 MB: several messages of the API."""


@pytest.fixture
async def path(http: httpx2.AsyncClient) -> str:
    stored = await put(http, DATA)
    return f"/v1/artifacts/{stored['uri'].rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-1100199", 100, 1_100_200),
        ("bytes=2303000-", 2_303_000, len(DATA)),
        ("bytes=-7", len(DATA) - 7, len(DATA)),
        (f"bytes=5-{10**12}", 5, len(DATA)),
    ],
)
async def test_a_part_is_sent(http: httpx2.AsyncClient, path: str, asked: str, first: int, end: int) -> None:
    response = await http.get(path, headers={"Range": asked})
    assert response.status_code == 206
    assert response.content == DATA[first:end]
    assert response.headers["content-range"] == f"bytes {first}-{end - 1}/{len(DATA)}"
    assert int(response.headers["content-length"]) == end - first


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=0-1,5-6", "lines=0-5", "bytes=-", "bytes=x-y"])
async def test_what_is_no_range_gets_everything(http: httpx2.AsyncClient, path: str, asked: str) -> None:
    response = await http.get(path, headers={"Range": asked})
    assert (response.status_code, response.content) == (200, DATA)


@pytest.mark.parametrize("asked", [f"bytes={len(DATA)}-", "bytes=99999999-99999999"])
async def test_a_range_beyond_the_end_is_refused(http: httpx2.AsyncClient, path: str, asked: str) -> None:
    response = await http.get(path, headers={"Range": asked})
    assert (response.status_code, response.headers["content-range"]) == (416, f"bytes */{len(DATA)}")


async def test_what_a_client_has_is_not_sent_again(http: httpx2.AsyncClient, path: str) -> None:
    head = await http.head(path)
    assert (head.status_code, head.content, int(head.headers["content-length"])) == (200, b"", len(DATA))
    assert head.headers["etag"].strip('"').startswith(hashlib.sha256(DATA).hexdigest())
    again = await http.get(path, headers={"If-None-Match": head.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await http.get(path, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert other.status_code == 200
