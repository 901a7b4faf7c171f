"""What schemas do not see in the manifests: that names, labels, ports, times and rights fit each other."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT, Cluster, Pod, selects, settings_of

pytestmark = pytest.mark.process

CUSTOM = {"ScaledObject": "keda.sh/v1alpha1", "PodMonitor": "monitoring.coreos.com/v1",
          "PrometheusRule": "monitoring.coreos.com/v1"}  # fmt: skip
"""Kinds that operators bring: there is no schema for them here."""

SERVICES = {"stt", "sentiment", "riffusion", "mixer"}
NOTICE_S = 2
"""etbgm_kit.serving.server.NOTICE_S: a server waits so long before it drains."""

STORES = {"artifact-store": "ETBGM_STORE_URL", "job-store": "ETBGM_JOB_STORE_URL"}
"""Secrets that who deploys the base makes, and the variable that each must bring."""


def test_every_resource_fits_its_schema(cluster: Cluster, tmp_path: Path) -> None:
    built = tmp_path / "built.yaml"
    built.write_text(cluster.text)
    done = subprocess.run(
        [Path(sys.executable).with_name("kubernetes-validate"), "--strict", built],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    lines = (done.stdout + done.stderr).splitlines()
    assert sum(" passed " in line for line in lines) == len(cluster.resources) - len(cluster.all(*CUSTOM))
    for line in lines:
        assert " passed " in line or any(kind in line for kind in CUSTOM), line
    for resource in cluster.all(*CUSTOM):
        assert resource["apiVersion"] == CUSTOM[resource["kind"]]


def test_selectors_take_the_pods_that_they_are_for(cluster: Cluster) -> None:
    by_name = {pod.owner["metadata"]["name"]: pod for pod in cluster.pods}
    for pod in cluster.pods:
        if "selector" in pod.owner["spec"]:
            assert selects(pod.owner["spec"]["selector"], pod.labels), pod.name
        for spread in pod.spec.get("topologySpreadConstraints", []):
            assert selects(spread["labelSelector"], pod.labels), pod.name
    for service in cluster.all("Service"):
        taken = [pod for pod in cluster.pods if service["spec"]["selector"].items() <= pod.labels.items()]
        assert len(taken) == 1, service["metadata"]["name"]
    for budget in cluster.all("PodDisruptionBudget"):
        assert selects(budget["spec"]["selector"], by_name[budget["metadata"]["name"]].labels)
    for policy in cluster.all("NetworkPolicy"):
        assert any(selects(policy["spec"]["podSelector"], pod.labels) for pod in cluster.pods), policy


def test_ports_that_are_named_exist(cluster: Cluster) -> None:
    for service in cluster.all("Service"):
        (pod,) = [p for p in cluster.pods if service["spec"]["selector"].items() <= p.labels.items()]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in pod.ports, service["metadata"]["name"]
            assert 0 < port["port"] < 2**16
    for policy in cluster.all("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            for port in rule.get("ports", []):
                for pod in cluster.pods:
                    if isinstance(port["port"], str) and selects(policy["spec"]["podSelector"], pod.labels):
                        assert port["port"] in pod.ports, policy["metadata"]["name"]
    for pod in cluster.servers.values():
        address = cluster.settings(pod).get("ETBGM_LISTEN_ADDRESS", "[::]:50051")
        assert pod.ports["grpc"] == int(address.rsplit(":", 1)[1])
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert pod.container[probe]["grpc"]["port"] == pod.ports["grpc"]
        assert pod.container["livenessProbe"]["grpc"]["service"] == "live"


def references(pod: Pod) -> Iterator[tuple[str, str]]:
    """Kind and name of everything that a pod needs."""
    if "serviceAccountName" in pod.spec:
        yield "ServiceAccount", pod.spec["serviceAccountName"]
    if "priorityClassName" in pod.spec:
        yield "PriorityClass", pod.spec["priorityClassName"]
    for source in pod.container.get("envFrom", []):
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if key in source:
                yield kind, source[key]["name"]
    for volume in pod.spec.get("volumes", []):
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]


def test_what_is_referred_to_is_there(cluster: Cluster) -> None:
    given = {("Secret", name) for name in STORES}
    known = {(resource["kind"], resource["metadata"]["name"]) for resource in cluster.resources}
    for pod in cluster.pods:
        assert set(references(pod)) <= known | given, pod.name
        volumes = {volume["name"] for volume in pod.spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in pod.owner["spec"].get("volumeClaimTemplates", [])}
        assert {mount["name"] for mount in pod.container.get("volumeMounts", [])} <= volumes, pod.name
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for scaler in cluster.all(kind):
            target = scaler["spec"]["scaleTargetRef"]
            assert (target.get("kind", "Deployment"), target["name"]) in known
    for binding in cluster.all("RoleBinding"):
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in known
        assert all((subject["kind"], subject["name"]) in known for subject in binding["subjects"])
    for pod in cluster.pods:
        if "serviceName" in pod.owner["spec"]:
            assert ("Service", pod.owner["spec"]["serviceName"]) in known


def test_everything_is_in_one_namespace(cluster: Cluster) -> None:
    for resource in cluster.resources:
        if resource["kind"] not in ("Namespace", "PriorityClass"):
            assert resource["metadata"].get("namespace") == "etbgm", resource


def test_servers_take_leave_and_have_their_share_of_the_processor(cluster: Cluster) -> None:
    for name, pod in cluster.servers.items():
        assert pod.container["lifecycle"]["preStop"]["sleep"]["seconds"] >= NOTICE_S, name
        assert "cpu" in pod.container["resources"]["requests"], name
        assert pod.spec["topologySpreadConstraints"], name


def test_nothing_scales_the_same_pods_twice(cluster: Cluster) -> None:
    targets = [
        scaler["spec"]["scaleTargetRef"]["name"]
        for scaler in cluster.all("HorizontalPodAutoscaler", "ScaledObject")
    ]
    assert len(targets) == len(set(targets))
    assert set(targets) >= SERVICES
    scaled = [pod for pod in cluster.pods if pod.owner["metadata"]["name"] in targets]
    assert not any("replicas" in pod.owner["spec"] for pod in scaled)  # applying again would undo scaling


def test_pods_live_longer_than_their_servers_drain(cluster: Cluster) -> None:
    for name, pod in cluster.servers.items():
        drain_s = float(cluster.settings(pod)["ETBGM_DRAIN_S"])
        assert pod.spec["terminationGracePeriodSeconds"] >= drain_s + NOTICE_S + 10, name


def test_pods_are_as_the_restricted_profile_wants_them(cluster: Cluster) -> None:
    labels = cluster.named("Namespace")["etbgm"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for pod in cluster.pods:
        security, own = pod.spec["securityContext"], pod.container["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert own["readOnlyRootFilesystem"] is True
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} <= pod.container["resources"].keys(), pod.name


def test_only_the_gateway_may_speak_to_the_cluster(cluster: Cluster) -> None:
    accounts = cluster.named("ServiceAccount")
    for pod in cluster.pods:
        account = accounts.get(pod.spec.get("serviceAccountName", ""), {})
        mounts = pod.spec.get(
            "automountServiceAccountToken", account.get("automountServiceAccountToken", True)
        )
        assert mounts is (pod.owner["metadata"]["name"] == "gateway"), pod.name
    assert not cluster.all("ClusterRole", "ClusterRoleBinding")


def test_the_role_allows_what_discovery_calls_and_nothing_else(base: Cluster) -> None:
    (role,) = base.all("Role")
    granted = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    called = {
        node.attr
        for path in (ROOT / "gateway/etbgm_gateway/upstream/discovery").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and "_namespaced_" in node.attr
    }
    assert called == {"list_namespaced_endpoint_slice"}
    assert granted == {("discovery.k8s.io", "endpointslices", verb) for verb in ("list", "watch")}


def test_variables_are_the_settings_of_the_service(cluster: Cluster) -> None:
    for name, pod in cluster.servers.items():
        known = settings_of("mixer" if name == "separator" else name)
        ours = {variable for variable in cluster.settings(pod) if variable.startswith("ETBGM_")}
        assert ours <= known, name
        secrets = {
            source["secretRef"]["name"] for source in pod.container["envFrom"] if "secretRef" in source
        }
        assert secrets == ({"artifact-store", "job-store"} if name == "gateway" else {"artifact-store"})
    for secret, variable in STORES.items():
        assert variable in settings_of("gateway")
        for made in cluster.named("Secret").get(secret, {}).get("data", {}):
            assert made == variable or made.startswith("AWS_")


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_gateway_addresses_name_a_service_and_its_port(base: Cluster, service: str) -> None:
    address = base.settings(base.servers["gateway"])[f"ETBGM_{service.upper()}_ADDRESS"]
    assert address == f"kubernetes:///{service}:grpc"
    spec = base.named("Service")[service]["spec"]
    assert spec["clusterIP"] == "None"
    assert [port["name"] for port in spec["ports"]] == ["grpc"]
