"""Finds replicas in Kubernetes by listing and watching a Service's EndpointSlices.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import logging
import os
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, ApiException, Configuration, DiscoveryV1Api
from kubernetes.aio.watch import Watch

from etbgm_gateway.upstream.discovery.converters import slice_from_kubernetes
from etbgm_gateway.upstream.discovery.slices import Slices
from etbgm_gateway.upstream.discovery.target import Target
from etbgm_gateway.upstream.discovery.types import DiscoveryFailed

log = logging.getLogger(__name__)

WATCH_S = 60
"""The API server ends a watch after this long, and the next one continues from there, so that a silently
dead connection is detected soon."""
ANSWER_S = 10.0
"""Timeout of a list, and the extra time that a watch has beyond WATCH_S."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
"""Bounds of the pause before the next watch: doubled after each failure, with jitter."""

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_RULE = '{apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"]}'


class EndpointSlices:
    """The pods behind a Service that accept calls."""

    def __init__(self, target: Target, configuration: Configuration | None = None) -> None:
        """Uses the API server of `configuration`; by default that of `_usual_configuration`."""
        self._target, self._configuration = target, configuration

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """See Discovery. Retries every failure after the first list, without limit."""
        async with ApiClient(self._configuration or await _usual_configuration()) as client:
            source = _Source(DiscoveryV1Api(client), self._target)
            try:
                slices = await source.list()
            except (ApiException, aiohttp.ClientError, OSError) as failure:
                raise DiscoveryFailed(source.explain(failure)) from failure
            told = slices.addresses(self._target.port)
            yield told
            async with aclosing(source.follow(slices)) as changes:
                async for slices in changes:
                    addresses = slices.addresses(self._target.port)
                    if addresses != told:
                        yield (told := addresses)


class _Source:
    """The API server's list and watch of one Service's slices."""

    def __init__(self, api: DiscoveryV1Api, target: Target) -> None:
        self._list, self._service = api.list_namespaced_endpoint_slice, target.service
        self._namespace = target.namespace or _own_namespace()
        self._selector = f"kubernetes.io/service-name={target.service}"

    async def list(self) -> Slices:
        found = await self._list(self._namespace, label_selector=self._selector, _request_timeout=ANSWER_S)
        version = found.metadata and found.metadata.resource_version
        return Slices(map(slice_from_kubernetes, found.items), int(version or 0))

    async def follow(self, listed: Slices) -> AsyncGenerator[Slices, None]:
        """Yields the slices after every change, from a watch or, after a failed watch, from a new list."""
        slices: Slices | None = listed
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                if slices is None:
                    slices = await self.list()
                    yield slices
                async with aclosing(self._watch(slices)) as changes:
                    async for _ in changes:
                        pause_s = FIRST_PAUSE_S
                        yield slices
                # The watch ran for its full time, even if nothing changed.
                pause_s = FIRST_PAUSE_S
            except Exception as failure:
                # No response of the API server, or of a proxy in front of it, may end this loop.
                slices, pause_s = None, min(2 * pause_s, LONGEST_PAUSE_S)
                if not _is_gone(failure):
                    log.warning("lost sight of replicas", extra={"reason": self.explain(failure)})
            await asyncio.sleep(random.uniform(pause_s / 2, pause_s))

    async def _watch(self, slices: Slices) -> AsyncGenerator[None, None]:
        """Applies events to `slices` and yields after each, until the server ends the watch."""
        async with Watch() as watch:
            async for event in watch.stream(
                self._list,
                self._namespace,
                label_selector=self._selector,
                resource_version=str(slices.version),
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH_S,
                _request_timeout=WATCH_S + ANSWER_S,
            ):
                if not isinstance(event, dict):
                    raise ConnectionError("the watch broke off within a line")
                if event["type"] == "BOOKMARK":
                    slices.reach(int(event["raw_object"]["metadata"]["resourceVersion"]))
                else:
                    slice_ = slice_from_kubernetes(event["object"])
                    slices.take(slice_, deleted=event["type"] == "DELETED")
                yield

    def explain(self, failure: Exception) -> str:
        """Returns a description of the problem and how to fix it."""
        what = f"EndpointSlices of Service {self._service} in namespace {self._namespace}"
        if not isinstance(failure, ApiException):
            return f"cannot list or watch {what}: {failure!r}"
        if failure.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            refused = f"the Kubernetes API refuses ({failure.status}) to list or watch {what}"
            return f"{refused}: the ServiceAccount needs a Role with the rule {_RULE}"
        return f"cannot list or watch {what}: {failure.status} {failure.reason}"


def _is_gone(failure: Exception) -> bool:
    """True when the API server no longer has the version that the watch continues from; this is normal."""
    return isinstance(failure, ApiException) and failure.status == HTTPStatus.GONE


async def _usual_configuration() -> Configuration:
    """Loads the configuration of the pod's service account or, outside a cluster, the user's kubeconfig."""
    configuration = Configuration()
    try:
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(client_configuration=configuration)
    except config.ConfigException as error:
        raise DiscoveryFailed(f"there is no Kubernetes to ask for replicas: {error}") from error
    return configuration


def _own_namespace() -> str:
    return _NAMESPACE_FILE.read_text().strip() if _NAMESPACE_FILE.exists() else "default"
