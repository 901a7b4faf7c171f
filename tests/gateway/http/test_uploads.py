"""Resumable uploads over HTTP, by tus 1.0 and by PUT, also when connections break."""

import asyncio
import base64
import hashlib
import os
import uuid

import httpx2
import pytest

from tests.gateway.conftest import Gateway

pytestmark = pytest.mark.process

TUS = {"Tus-Resumable": "1.0.0"}
APPEND = {**TUS, "Content-Type": "application/offset+octet-stream"}


async def opened(http: httpx2.AsyncClient, size: int, **metadata: str) -> str:
    """The path of a new upload."""
    pairs = [f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items()]
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
    response = await http.post("/v1/uploads", headers=headers)
    assert response.status_code == 201, response.text
    return str(response.headers["location"])


async def offset(http: httpx2.AsyncClient, path: str) -> int:
    response = await http.head(path, headers=TUS)
    assert response.status_code == 200
    return int(response.headers["upload-offset"])


async def append(http: httpx2.AsyncClient, path: str, at: int, data: bytes) -> httpx2.Response:
    return await http.patch(path, headers={**APPEND, "Upload-Offset": str(at)}, content=data)


async def test_an_upload_in_parts(http: httpx2.AsyncClient) -> None:
    data = os.urandom(3_000_000)
    path = await opened(http, len(data), filetype="video/mp4", sha256=hashlib.sha256(data).hexdigest())
    assert await offset(http, path) == 0
    assert (await append(http, path, 0, data[:1_900_000])).headers["upload-offset"] == "1900000"
    again = await append(http, path, 0, data)
    assert again.status_code == 409, again.text
    done = await append(http, path, 1_900_000, data[1_900_000:])
    assert (done.status_code, done.headers["upload-offset"]) == (204, "3000000")
    stored = (await http.get(path)).json()["video"]
    assert stored["sha256"] == hashlib.sha256(data).hexdigest()
    assert stored["mediaType"] == "video/mp4"


async def test_an_upload_goes_on_where_its_connection_broke(
    http: httpx2.AsyncClient, http_gateway: tuple[Gateway, str]
) -> None:
    data = os.urandom(2_500_000)
    path = await opened(http, len(data))
    host, port = http_gateway[1].removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"PATCH {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(data)}\r\nUpload-Offset: 0\r\n"
    writer.write(f"{head}Content-Type: application/offset+octet-stream\r\n\r\n".encode() + data[:1_500_000])
    await writer.drain()
    while await offset(http, path) < 1_500_000:
        await asyncio.sleep(0.02)
    busy = await append(http, path, 1_500_000, data[1_500_000:])
    assert busy.status_code == 423, "another connection is sending"
    writer.close()
    async with asyncio.timeout(20):
        while (rest := await append(http, path, 1_500_000, data[1_500_000:])).status_code == 423:
            await asyncio.sleep(0.05)
    assert rest.status_code == 204, rest.text
    assert (await http.get(path)).json()["video"]["sha256"] == hashlib.sha256(data).hexdigest()


async def test_a_put_is_resumed(http: httpx2.AsyncClient) -> None:
    path, data = f"/v1/uploads/{uuid.uuid4().hex}", os.urandom(1000)
    kind = {"Content-Type": "video/webm"}
    first = await http.put(path, content=data[:400], headers={**kind, "Upload-Length": "1000"})
    assert (first.json()["receivedBytes"], "video" in first.json()) == ("400", False)
    rest = {**kind, "Upload-Offset": "400", "Upload-Length": "1000"}
    second = await http.put(path, content=data[400:], headers=rest)
    assert second.json()["video"]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({}, 400, "Upload-Length"),
        ({"Upload-Length": "-5"}, 400, "Upload-Length"),
        ({"Upload-Length": "9" * 30}, 400, "Upload-Length"),
        ({"Upload-Length": "99999999999"}, 400, "opening.size_bytes"),
        ({"Upload-Length": "5", "Upload-Metadata": "filetype %%%"}, 400, "Upload-Metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": "filetype dGV4dC9odG1s"}, 400, "opening.media_type"),
    ],
)
async def test_an_opening_is_refused(
    http: httpx2.AsyncClient, headers: dict[str, str], status: int, field: str
) -> None:
    response = await http.post("/v1/uploads", headers={**TUS, **headers})
    assert response.status_code == status
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_what_is_supported_is_told(http: httpx2.AsyncClient) -> None:
    response = await http.options("/v1/uploads")
    assert (response.status_code, response.headers["tus-version"]) == (204, "1.0.0")
    assert "creation" in response.headers["tus-extension"]
