"""compose.yaml: that its parts name each other, and the servers' settings, rightly."""

import json
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import KUBERNETES, ROOT, Cluster, Json, settings_of

pytestmark = pytest.mark.process

COMPOSE = ROOT / "deploy/compose"
SERVERS = ("stt", "sentiment", "riffusion", "mixer", "gateway")


@pytest.fixture(scope="module")
def compose() -> Json:
    return dict(yaml.safe_load((COMPOSE / "compose.yaml").read_text()))


@pytest.fixture(scope="module")
def services(compose: Json) -> dict[str, Json]:
    return dict(compose["services"])


@pytest.mark.parametrize("name", SERVERS)
def test_servers_are_hardened_and_set_up_by_settings_that_they_have(
    services: dict[str, Json], base: Cluster, name: str
) -> None:
    server = services[name]
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges"]
    assert "/tmp" in server["volumes"]
    assert {key for key in server["environment"] if key.startswith("ETBGM_")} <= settings_of(name)
    assert server["image"] == base.servers[name].container["image"]
    assert (COMPOSE / server["build"]["context"] / server["build"]["dockerfile"]).is_file()
    assert server["stop_grace_period"] == "2m"
    assert float(server["environment"]["ETBGM_DRAIN_S"]) <= 100


def test_the_gateway_finds_services_and_stores(services: dict[str, Json], compose: Json) -> None:
    settings = services["gateway"]["environment"]
    for name in SERVERS[:-1]:
        assert settings[f"ETBGM_{name.upper()}_ADDRESS"] == f"{name}:8431"
    database = services["postgresql"]["environment"]
    login = f"{database['POSTGRES_USER']}:{database['POSTGRES_PASSWORD']}"
    assert (
        settings["ETBGM_JOB_STORE_URL"] == f"postgresql://{login}@postgresql:5432/{database['POSTGRES_USER']}"
    )
    assert set(services["gateway"]["depends_on"]) <= services.keys()
    named = {volume.split(":")[0] for one in services.values() for volume in one.get("volumes", [])}
    assert {name for name in named if not name.startswith((".", "/"))} == set(compose["volumes"])


def test_servers_have_the_key_and_the_bucket_of_the_object_store(services: dict[str, Json]) -> None:
    (config,) = [path for path in services["objects"]["volumes"] if path.endswith("s3.json:ro")]
    (identity,) = json.loads((COMPOSE / config.split(":")[0]).read_text())["identities"]
    (key,) = identity["credentials"]
    for name in SERVERS:
        settings = services[name]["environment"]
        assert settings["AWS_ACCESS_KEY_ID"] == key["accessKey"]
        assert settings["AWS_SECRET_ACCESS_KEY"] == key["secretKey"]
        bucket = settings["ETBGM_STORE_URL"].removeprefix("s3://")
        assert f"s3.bucket.create -name {bucket} " in services["bucket"]["command"][0]
        assert "grep -q 'created bucket'" in services["bucket"]["command"][0]


def test_files_that_are_mounted_exist(services: dict[str, Json]) -> None:
    mounted = [v.split(":")[0] for one in services.values() for v in one.get("volumes", []) if v[0] == "."]
    assert len(mounted) >= 5
    assert all((COMPOSE / path).exists() for path in mounted)


def test_prometheus_asks_all_servers() -> None:
    (job,) = yaml.safe_load((COMPOSE / "prometheus.yaml").read_text())["scrape_configs"]
    assert {name for one in job["dns_sd_configs"] for name in one["names"]} == set(SERVERS)


def test_foreign_images_are_those_of_the_trial(services: dict[str, Json]) -> None:
    trial = "".join(path.read_text() for path in Path(KUBERNETES / "components/trial").glob("*.yaml"))
    for name in ("postgresql", "objects"):
        assert f"image: {services[name]['image']}\n" in trial
