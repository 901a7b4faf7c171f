"""Who the NetworkPolicies let speak to whom, as a cluster that enforces them reads them."""

from collections.abc import Iterator

import pytest

from tests.deploy.conftest import Cluster, Json, Pod, built, selects

pytestmark = pytest.mark.process

STORES = {"postgresql", "objects"}


def allows(cluster: Cluster, direction: str, pod: Pod, peer: Pod, port: int) -> bool:
    """Whether `pod`'s policies let it speak to `peer` ("Egress") or hear it ("Ingress").

    `port` is the listener's. Peers outside of the namespace are not looked at.
    """
    policies = [
        policy["spec"]
        for policy in cluster.all("NetworkPolicy")
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], pod.labels)
    ]
    listener = peer if direction == "Egress" else pod
    rules = [rule for policy in policies for rule in policy.get(direction.lower(), [])]
    return not policies or any(
        _names(rule, "to" if direction == "Egress" else "from", peer) and _opens(rule, listener, port)
        for rule in rules
    )


def _names(rule: Json, key: str, peer: Pod) -> bool:
    inside = [one["podSelector"] for one in rule.get(key, []) if set(one) == {"podSelector"}]
    return key not in rule or any(selects(selector, peer.labels) for selector in inside)


def _opens(rule: Json, listener: Pod, port: int) -> bool:
    wanted = [one["port"] for one in rule.get("ports", [])]
    return not wanted or port in [listener.ports.get(one, one) for one in wanted]


def reachable(cluster: Cluster) -> Iterator[tuple[str, str, str]]:
    """Caller, callee and the callee's port by name, for all that the policies let happen."""
    for caller in cluster.pods:
        for callee in cluster.pods:
            for name, port in callee.ports.items():
                both = (("Egress", caller, callee), ("Ingress", callee, caller))
                if caller is not callee and all(allows(cluster, *way, port) for way in both):
                    yield caller.owner["metadata"]["name"], callee.owner["metadata"]["name"], name


def test_everything_is_denied_that_is_not_allowed(cluster: Cluster) -> None:
    denied = cluster.named("NetworkPolicy")["deny-all"]["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_pods_reach_what_their_settings_name_and_nothing_else(cluster: Cluster) -> None:
    settings = cluster.settings(cluster.servers["gateway"])
    addresses = [
        value.removeprefix("kubernetes:///")
        for name, value in settings.items()
        if name.endswith("_ADDRESS") and value.startswith("kubernetes:///")
    ]
    called = {("gateway", *address.split(":")) for address in addresses}
    assert {service for _, service, _ in called} == set(cluster.servers) - {"gateway"}
    assert {edge for edge in reachable(cluster) if edge[1] not in STORES} == called


def test_clients_in_the_namespace_reach_the_gateway_and_nothing_else(cluster: Cluster) -> None:
    client = Pod({"kind": "Pod", "metadata": {"name": "client"}}, {"etbgm-client": "true"}, {})
    for pod in cluster.pods:
        for name, port in pod.ports.items():
            both = allows(cluster, "Egress", client, pod, port) and allows(
                cluster, "Ingress", pod, client, port
            )
            is_gateway = pod.owner["metadata"]["name"] == "gateway"
            assert both is (is_gateway and name in ("grpc", "http")), (pod.name, name)


def test_the_stores_of_the_trial_are_reached_by_who_uses_them() -> None:
    cluster = built("overlays/trial")
    found = {edge for edge in reachable(cluster) if edge[1] in STORES}
    users = {(name, "objects", "s3") for name in (*cluster.servers, "make-bucket-0-1-0")}
    assert found == users | {("gateway", "postgresql", "postgresql")}


@pytest.mark.parametrize("outside", [443, 5432, 6443])
def test_the_gateway_reaches_stores_and_api_outside(base: Cluster, outside: int) -> None:
    assert outside in dict(ports_outside(base, base.servers["gateway"]))


def test_other_servers_reach_nothing_outside_but_the_artifact_store(cluster: Cluster) -> None:
    for name, pod in cluster.servers.items():
        if name != "gateway":
            assert set(dict(ports_outside(cluster, pod))) == {443}, name


def test_pods_that_need_the_internet_reach_it(cluster: Cluster) -> None:
    for pod in cluster.pods:
        if pod.owner["metadata"]["name"].startswith("pull-models"):
            assert 443 in dict(ports_outside(cluster, pod))


def test_every_pod_resolves_names(cluster: Cluster) -> None:
    (dns,) = [
        policy["spec"] for policy in cluster.all("NetworkPolicy") if policy["metadata"]["name"] == "dns"
    ]
    assert dns["podSelector"] == {}
    assert "to" not in dns["egress"][0]
    assert {(one["port"], one["protocol"]) for one in dns["egress"][0]["ports"]} == {(53, "UDP"), (53, "TCP")}


def ports_outside(cluster: Cluster, pod: Pod) -> Iterator[tuple[int, str]]:
    """Ports that `pod` may call at any IPv4 address, with the policy that says so."""
    for policy in cluster.all("NetworkPolicy"):
        if selects(policy["spec"]["podSelector"], pod.labels):
            for rule in policy["spec"].get("egress", []):
                if {"ipBlock": {"cidr": "0.0.0.0/0"}} in rule.get("to", []):
                    yield from ((one["port"], policy["metadata"]["name"]) for one in rule["ports"])
