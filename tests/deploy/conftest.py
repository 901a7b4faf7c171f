"""Overlays as kustomize builds them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/k8s"
OVERLAYS = ("base", *sorted(f"overlays/{path.name}" for path in (KUBERNETES / "overlays").iterdir()))

Json = dict[str, Any]


def selects(selector: Json, labels: dict[str, str]) -> bool:
    """Whether a label selector takes what has `labels`."""
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"]
        for rule in selector.get("matchExpressions", [])
    )


@dataclass(frozen=True)
class Pod:
    """The template of the pods that `owner` makes."""

    owner: Json
    labels: dict[str, str]
    spec: Json

    @property
    def name(self) -> str:
        return f"{self.owner['kind']}/{self.owner['metadata']['name']}"

    @property
    def container(self) -> Json:
        (only,) = self.spec["containers"]
        return dict(only)

    @property
    def ports(self) -> dict[str, int]:
        """Of the container, by name."""
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", [])}


@dataclass(frozen=True)
class Cluster:
    """All resources of one overlay."""

    text: str
    resources: tuple[Json, ...]

    def all(self, *kinds: str) -> list[Json]:
        return [resource for resource in self.resources if resource["kind"] in kinds]

    def named(self, kind: str) -> dict[str, Json]:
        return {resource["metadata"]["name"]: resource for resource in self.all(kind)}

    @property
    def pods(self) -> list[Pod]:
        owners = self.all("Deployment", "StatefulSet", "Job")
        templates = [(owner, owner["spec"]["template"]) for owner in owners]
        return [Pod(owner, made["metadata"]["labels"], made["spec"]) for owner, made in templates]

    @property
    def servers(self) -> dict[str, Pod]:
        """The pods of our own servers, by the name of the service."""
        return {pod.owner["metadata"]["name"]: pod for pod in self.pods if pod.container["name"] == "server"}

    def settings(self, pod: Pod) -> dict[str, str]:
        """The variables of a pod whose values are in the manifests."""
        values = {entry["name"]: entry["value"] for entry in pod.container.get("env", []) if "value" in entry}
        for source in pod.container.get("envFrom", []):
            if "configMapRef" in source:
                values |= self.named("ConfigMap")[source["configMapRef"]["name"]]["data"]
        return values


@cache
def built(overlay: str) -> Cluster:
    """What `kubectl kustomize` makes of an overlay."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: it builds the overlays")
    done = subprocess.run(
        ["kubectl", "kustomize", str(KUBERNETES / overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Cluster(done.stdout, tuple(yaml.safe_load_all(done.stdout)))


@cache
def settings_of(package: str) -> frozenset[str]:
    """The variables of a service, from its settings class."""
    code = (
        f"import json; from etbgm_{package}.settings import Settings; "
        "print(json.dumps(['ETBGM_' + name.upper() for name in Settings.model_fields]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout))


@pytest.fixture(params=OVERLAYS)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Each overlay in turn."""
    yield built(request.param)


@pytest.fixture
def base() -> Cluster:
    """The base alone."""
    return built("base")
