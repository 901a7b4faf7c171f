"""The dashboard and the alerts ask for metrics that the code tells."""

import json
import re

import pytest

from tests.deploy.conftest import ROOT, Cluster, built

TELLERS = ("services/kit/etbgm_kit/metrics.py", "gateway/etbgm_gateway/metrics.py")
ADDED = ("_total", "_bucket", "_sum", "_count")
"""What Prometheus' client appends to the names of counters and histograms."""


@pytest.fixture
def told() -> set[str]:
    sources = "".join((ROOT / path).read_text() for path in TELLERS)
    return set(re.findall(r'"(etbgm_[a-z_]+)"', sources))


@pytest.fixture
def cluster() -> Cluster:
    return built("overlays/observability")


def asked(expression: str) -> set[str]:
    names = set(re.findall(r"\betbgm_[a-z_]+", expression))
    assert names or "DCGM_" in expression or "process_" in expression, expression
    return {next((n.removesuffix(end) for end in ADDED if n.endswith(end)), n) for n in names}


def test_every_panel_shows_something_that_is_told(cluster: Cluster, told: set[str]) -> None:
    panels = json.loads(cluster.named("ConfigMap")["etbgm-dashboard"]["data"]["dashboard.json"])["panels"]
    assert len(panels) >= 10
    for panel in panels:
        assert all(asked(target["expr"]) <= told for target in panel["targets"]), panel["title"]


def test_every_alert_is_about_something_that_is_told_and_says_what_to_do(
    cluster: Cluster, told: set[str]
) -> None:
    (rules,) = cluster.all("PrometheusRule")
    alerts = [rule for group in rules["spec"]["groups"] for rule in group["rules"]]
    assert len(alerts) >= 5
    for alert in alerts:
        assert asked(alert["expr"]) <= told, alert["alert"]
        assert {"summary", "runbook"} <= alert["annotations"].keys()


def test_the_plain_autoscaler_asks_for_a_metric_that_is_told(told: set[str]) -> None:
    (scaler,) = [
        one for one in built("overlays/hpa-cues").all("HorizontalPodAutoscaler")
        if one["metadata"]["name"] == "riffusion"
    ]  # fmt: skip
    (metric,) = scaler["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] in told
