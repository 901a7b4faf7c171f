"""The dashboard and the alerts ask for metrics that the code tells."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import ROOT, Cluster, built

pytestmark = pytest.mark.process

TELLERS = ("services/kit/etbgm_kit/serving/metrics.py", "gateway/etbgm_gateway/observe/metrics.py")
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


def promtool(*arguments: str | Path) -> None:
    """Runs Prometheus' own checker; its output is the failure."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: it reads Prometheus' rules as Prometheus does")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_not_otherwise(cluster: Cluster, tmp_path: Path) -> None:
    (rules,) = cluster.all("PrometheusRule")
    for rule in rules["spec"]["groups"][0]["rules"]:
        # The tests compare labels, which are what alerts are told apart by, and not the sentences.
        del rule["annotations"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules["spec"]))
    shutil.copy(Path(__file__).with_name("alerts.yaml"), tmp_path)
    promtool("check", "rules", tmp_path / "rules.yaml")
    promtool("test", "rules", tmp_path / "alerts.yaml")


def test_every_alert_is_shown_to_fire(cluster: Cluster) -> None:
    (rules,) = cluster.all("PrometheusRule")
    named = {rule["alert"] for rule in rules["spec"]["groups"][0]["rules"]}
    cases = yaml.safe_load(Path(__file__).with_name("alerts.yaml").read_text())["tests"]
    fired = {
        check["alertname"]
        for case in cases
        for check in case.get("alert_rule_test", [])
        if check["exp_alerts"]
    }
    assert fired == named


def test_the_configuration_for_one_machine_is_understood() -> None:
    promtool("check", "config", ROOT / "deploy/compose/prometheus.yaml")


def test_no_metric_has_a_label_that_prometheus_gives_it(cluster: Cluster) -> None:
    (monitor,) = cluster.all("PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    given = {rule["targetLabel"] for rule in endpoint["relabelings"]}
    (job,) = yaml.safe_load((ROOT / "deploy/compose/prometheus.yaml").read_text())["scrape_configs"]
    assert {rule["target_label"] for rule in job["relabel_configs"]} == given == {"service"}
    sources = "".join((ROOT / path).read_text() for path in TELLERS)
    assert '"service"' not in sources


def test_the_plain_autoscaler_asks_for_a_metric_that_is_told(told: set[str]) -> None:
    (scaler,) = [
        one for one in built("overlays/hpa-cues").all("HorizontalPodAutoscaler")
        if one["metadata"]["name"] == "riffusion"
    ]  # fmt: skip
    (metric,) = scaler["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] in told
