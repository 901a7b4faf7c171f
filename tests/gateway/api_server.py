"""A fake Kubernetes API server: the EndpointSlices of one namespace, over real HTTP."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

CUT = "(the connection breaks here)"
_SERVICE = "kubernetes.io/service-name"
Json = dict[str, Any]


def pod(
    address: str, *, uid: str = "", ready: bool = True, serving: bool = True, terminating: bool = False
) -> Json:
    """An endpoint as the EndpointSlice controller writes it."""
    conditions = {"ready": ready, "serving": serving, "terminating": terminating}
    reference = {"kind": "Pod", "name": f"pod-{address}", "namespace": "etbgm", "uid": uid or address}
    return {"addresses": [address], "conditions": conditions, "targetRef": reference}


class FakeApiServer:
    """Slices are put and deleted; those who watch are told, and lied to where a test wants it."""

    def __init__(self, url: str) -> None:
        self.url, self.version, self.oldest = url, 100, 0
        self.refusal: tuple[int, str] | None = None
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self._slices: dict[str, Json] = {}
        self._history: list[tuple[int, Json, str]] = []
        self._watches: dict[asyncio.Queue[str | None], str] = {}

    @property
    def watches(self) -> int:
        """Watches that are open."""
        return len(self._watches)

    def slice(
        self, name: str, pods: Iterable[Json], *, family: str = "IPv4", ports: Mapping[str, int] | None = None
    ) -> Json:
        """An EndpointSlice of Service NAME-with-the-last-part-cut-off, at the next version."""
        self.version += 1
        service = name.rsplit("-", 1)[0]
        ports = {"grpc": 8431} if ports is None else ports
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": name,
                "namespace": "etbgm",
                "resourceVersion": str(self.version),
                "labels": {_SERVICE: service},
            },
            "addressType": family,
            "endpoints": list(pods) or None,
            "ports": [{"name": key, "port": port, "protocol": "TCP"} for key, port in ports.items()],
        }

    def put(self, name: str, pods: Iterable[Json], **shape: Any) -> Json:
        """Writes a slice and tells of it."""
        kind = "MODIFIED" if name in self._slices else "ADDED"
        self._slices[name] = slice_ = self.slice(name, pods, **shape)
        self.tell(kind, slice_)
        return slice_

    def delete(self, name: str) -> None:
        self.version += 1
        slice_ = self._slices.pop(name)
        slice_["metadata"]["resourceVersion"] = str(self.version)
        self.tell("DELETED", slice_)

    def tell(self, kind: str, thing: Json) -> None:
        """An event to all who watch, true or not."""
        line = json.dumps({"type": kind, "object": thing}) + "\n"
        if kind in ("ADDED", "MODIFIED", "DELETED"):
            self._history.append((int(thing["metadata"]["resourceVersion"]), thing, line))
        for events, service in self._watches.items():
            if _concerns(thing, service):
                events.put_nowait(line)

    def bookmark(self) -> None:
        metadata = {"resourceVersion": str(self.version), "creationTimestamp": None}
        kind = {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1"}
        self.tell("BOOKMARK", {**kind, "metadata": metadata, "endpoints": None, "addressType": ""})

    def say(self, text: str) -> None:
        """Text to all who watch; CUT breaks their connections."""
        for events in self._watches:
            events.put_nowait(text)

    def end(self) -> None:
        """Ends all watches, as after their time."""
        for events in self._watches:
            events.put_nowait(None)

    def forget(self, *, silently: bool = False) -> None:
        """History is compacted; watches are told, unless `silently`."""
        self.oldest = self.version
        if not silently:
            self.tell("ERROR", _status(410, "Expired", "too old resource version"))
            self.end()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        watching = request.query.get("watch") == "true"
        self.requests.append(("watch" if watching else "list", dict(request.query)))
        if self.refusal:
            code, reason = self.refusal
            return web.json_response(_status(code, reason, "no"), status=code)
        selector = re.fullmatch(f"{_SERVICE}=(.*)", request.query["labelSelector"])
        assert selector
        if watching:
            return await self._watch(request, selector[1])
        items = [slice_ for slice_ in self._slices.values() if _concerns(slice_, selector[1])]
        metadata = {"resourceVersion": str(self.version)}
        return web.json_response(
            {"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1"}
            | {"metadata": metadata, "items": items}
        )

    async def _watch(self, request: web.Request, service: str) -> web.StreamResponse:
        since = int(request.query["resourceVersion"])
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        if since < self.oldest:
            error = {"type": "ERROR", "object": _status(410, "Expired", "too old resource version")}
            await response.write(f"{json.dumps(error)}\n".encode())
            return response
        events: asyncio.Queue[str | None] = asyncio.Queue()
        for version, thing, line in self._history:
            if version > since and _concerns(thing, service):
                events.put_nowait(line)
        self._watches[events] = service
        try:
            while (text := await events.get()) is not None:
                if text == CUT:
                    assert request.transport
                    request.transport.abort()
                else:
                    await response.write(text.encode())
        except ConnectionError:
            pass
        finally:
            del self._watches[events]
        return response


def _concerns(thing: Json, service: str) -> bool:
    """What is no slice, an error or a bookmark, concerns all."""
    return bool(thing["metadata"].get("labels", {_SERVICE: service})[_SERVICE] == service)


def _status(code: int, reason: str, message: str) -> Json:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"} | {
        "code": code,
        "reason": reason,
        "message": message,
    }


@asynccontextmanager
async def api_server() -> AsyncIterator[FakeApiServer]:
    """Serves on loopback while the context lasts."""
    server = FakeApiServer("")
    app = web.Application()
    app.router.add_get("/apis/discovery.k8s.io/v1/namespaces/etbgm/endpointslices", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.end()
        await runner.cleanup()


def write_kubeconfig(path: Path, url: str) -> None:
    """A kubeconfig for the server at `url`."""
    named = {"name": "fake"}
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "fake",
                "clusters": [{**named, "cluster": {"server": url}}],
                "users": [{**named, "user": {"token": "secret"}}],
                "contexts": [{**named, "context": {"cluster": "fake", "user": "fake"}}],
            }
        )
    )
