"""The training Job fits the music service: volumes, model, adapters, state that outlives pods."""

from pathlib import PurePosixPath

import pytest

from etbgm_riffusion.settings import Settings
from tests.deploy.conftest import ROOT, Pod, built

pytestmark = pytest.mark.process


@pytest.fixture
def job() -> Pod:
    (pod,) = [pod for pod in built("overlays/training").pods if pod.container["name"] == "train"]
    return pod


def mounts(pod: Pod) -> dict[str, tuple[str, bool]]:
    """The claim and whether it is read-only, by path."""
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod.spec["volumes"]
        if "persistentVolumeClaim" in volume
    }
    return {
        mount["mountPath"]: (claims[mount["name"]], mount.get("readOnly", False))
        for mount in pod.container["volumeMounts"]
        if mount["name"] in claims
    }


def test_the_adapter_is_written_where_the_music_service_reads_it(job: Pod) -> None:
    cluster = built("overlays/training")
    server = cluster.servers["riffusion"]
    settings, trained = cluster.settings(server), cluster.settings(job)
    assert trained["ETBGM_MODELS_DIR"] == settings["ETBGM_MODELS_DIR"]
    assert "ETBGM_ADAPTERS_DIR" not in settings.keys() | trained.keys()
    folder = trained["ETBGM_MODELS_DIR"]
    assert mounts(job)[folder] == ("models", False)
    assert mounts(server)[folder] == ("models", True)
    assert job.container["image"] == server.container["image"]


def test_what_a_run_needs_outlives_its_pod(job: Pod) -> None:
    command = job.container["command"]
    data, run = command[2], command[command.index("--run") + 1]
    for path in (data, run):
        folder = next(str(place) for place in PurePosixPath(path).parents if str(place) in mounts(job))
        assert mounts(job)[folder] == ("training", False)
    assert job.container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    (rule,) = job.owner["spec"]["podFailurePolicy"]["rules"]
    assert rule == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert job.spec["restartPolicy"] == "Never"
    assert "kueue.x-k8s.io/queue-name" in job.owner["metadata"]["labels"]


def test_the_first_container_waits_for_the_model_that_the_service_uses(job: Pod) -> None:
    (waiting,) = job.spec["initContainers"]
    assert f"/models/{Settings.model_fields['riffusion_model'].default}/" in waiting["command"][-1]
    guide = (ROOT / "deploy/docs/training.md").read_text()
    assert f"-c {waiting['name']} --" in guide
    assert "touch /training/ready" in guide
    assert f"job/{job.owner['metadata']['name']}" in guide
