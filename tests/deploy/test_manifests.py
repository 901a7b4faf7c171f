"""What schemas do not see in the manifests: that names, labels, ports, times and rights fit each other."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT, Cluster, Pod, built, selects, settings_of

pytestmark = pytest.mark.process

CUSTOM = {"ScaledObject": "keda.sh/v1alpha1", "PodMonitor": "monitoring.coreos.com/v1",
          "PrometheusRule": "monitoring.coreos.com/v1",
          "GRPCRoute": "gateway.networking.k8s.io/v1",
          "HTTPRoute": "gateway.networking.k8s.io/v1"}  # fmt: skip
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
        taken = any(selects(policy["spec"]["podSelector"], pod.labels) for pod in cluster.pods)
        assert taken is (policy["metadata"]["name"] != "clients"), policy


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
        address = cluster.settings(pod).get("ETBGM_LISTEN_ADDRESS", "[::]:8431")
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
            if key in source and not source[key].get("optional"):
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


def test_drains_do_not_wait_for_pods_that_are_not_ready(cluster: Cluster) -> None:
    budgets = cluster.all("PodDisruptionBudget")
    assert {budget["metadata"]["name"] for budget in budgets} >= SERVICES | {"gateway"}
    assert {budget["spec"]["unhealthyPodEvictionPolicy"] for budget in budgets} == {"AlwaysAllow"}


def test_no_pod_takes_the_place_of_one_that_it_needs(cluster: Cluster) -> None:
    values = {name: made["value"] for name, made in cluster.named("PriorityClass").items()}
    priority = {
        pod.owner["metadata"]["name"]: values.get(pod.spec.get("priorityClassName", ""), 0)
        for pod in cluster.pods
    }
    for store in {"postgresql", "objects"} & priority.keys():
        assert priority[store] >= priority["gateway"] > priority["mixer"], store


def test_scaling_down_is_slow(cluster: Cluster) -> None:
    for scaler in cluster.all("HorizontalPodAutoscaler"):
        down = scaler["spec"]["behavior"]["scaleDown"]
        assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]
        assert down["stabilizationWindowSeconds"] == 300


def _cpus(quantity: str | int) -> float:
    text = str(quantity)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


@pytest.mark.parametrize("overlay", ["base", "overlays/trial"])
def test_the_documents_state_the_processors_that_the_pods_request(overlay: str) -> None:
    cluster = built(overlay)
    least = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["minReplicas"]
        for scaler in cluster.all("HorizontalPodAutoscaler")
    }
    total = sum(
        _cpus(pod.container["resources"]["requests"]["cpu"])
        * least.get(pod.owner["metadata"]["name"], pod.owner["spec"].get("replicas", 1))
        for pod in cluster.pods
        if pod.owner["kind"] != "Job"
    )
    text = (ROOT / "deploy/docs/deploy.md").read_text()
    assert f"`{overlay}` requests {total:.2g} CPUs" in text.replace("\n", " ")


def test_every_setting_is_in_the_namespace_of_the_overlay(tmp_path: Path) -> None:
    """A copy of overlays/production in another namespace does not name the first one."""
    where = os.path.relpath(ROOT / "deploy/k8s", tmp_path.resolve())
    text = (ROOT / "deploy/k8s/overlays/production/kustomization.yaml").read_text()
    text = text.replace("../../", f"{where}/").replace("namespace: etbgm\n", "namespace: elsewhere\n")
    (tmp_path / "kustomization.yaml").write_text(text)
    done = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, text=True, check=True)
    assert "gateway-scaler.elsewhere.svc:8432" in done.stdout
    assert "etbgm.svc" not in done.stdout
    assert "namespace: etbgm" not in done.stdout


def test_pushing_a_version_renames_its_jobs(tmp_path: Path) -> None:
    """A Job cannot be changed: one with another image and the same name would stop `kubectl apply`."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    environment = {**os.environ, "BUILDER": "true", "REGISTRY": "example.com/me", "TAG": "0.2.0-rc.1"}
    subprocess.run([tmp_path / "deploy/push"], env={**environment, "OVERLAY": "gpu"}, check=True)
    done = subprocess.run(
        ["kubectl", "kustomize", tmp_path / "build/k8s"], capture_output=True, text=True, check=True
    )
    assert "name: pull-models-0-2-0-rc-1\n" in done.stdout
    assert "image: example.com/me/etbgm-client:0.2.0-rc.1\n" in done.stdout
    assert "image: example.com/me/etbgm-stt:0.2.0-rc.1-gpu\n" in done.stdout


def test_jobs_are_named_by_the_version(cluster: Cluster) -> None:
    tags = {pod.container["image"].split(":")[1] for pod in cluster.servers.values()}
    version = min(tags, key=len).replace(".", "-")
    for job in cluster.all("Job"):
        assert job["metadata"]["name"].endswith(f"-{version}")
