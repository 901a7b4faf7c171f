"""The service with demucs, through real gRPC."""

import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2_grpc
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb
from etbgm_kit.models import catalogue
from etbgm_kit.models.folders import RECORD
from etbgm_mixer.assembly import build
from etbgm_mixer.settings import Settings
from tests.mixer.conftest import noise, write
from tests.servers import channel_to

from .conftest import Speak
from .test_demucs import at_48_khz
from .tiny_demucs import RATE_HZ

ENTRY = """[[entry]]
name = "tiny"
service = "mixer"
engine = "demucs"
kind = "weights"
source = {{ url = "https://example.org/{file}" }}
sha256 = {{ "{file}" = "{sha256}" }}
licence = "not for sale"
commercial_use = false
permitted = "Only to be tested with."
"""
Stub = mixer_pb2_grpc.MixerServiceStub


@pytest_asyncio.fixture
async def stub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stub]:
    """A client of a server whose installed model is in a catalogue of one's own."""
    installed = Path(shutil.copytree(folder, tmp_path / "models/tiny"))
    (installed / RECORD).write_text("{}")
    (file,) = installed.glob("*.th")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    (tmp_path / "own.toml").write_text(ENTRY.format(file=file.name, sha256=sha256))
    for name, value in {
        "CATALOGUE": tmp_path / "own.toml",
        "STORE_URL": f"file://{tmp_path}/store",
        "LISTEN_ADDRESS": "127.0.0.1:0",
        "MODELS_DIR": tmp_path / "models",
        "DEVICE": "cpu",
        "SEPARATION_ENGINE": "demucs",
        "DEMUCS_MODEL": "tiny",
    }.items():
        monkeypatch.setenv(f"ETBGM_{name}", str(value))
    catalogue.entries.cache_clear()
    async with channel_to(build(Settings())) as channel:
        yield Stub(channel)
    monkeypatch.undo()
    catalogue.entries.cache_clear()


async def test_demucs_and_its_weights_are_named(
    stub: Stub, store: ArtifactStore, tmp_path: Path, speak: Speak
) -> None:
    pause = np.zeros(RATE_HZ, np.float32)
    speech = at_48_khz(0.5 * np.concatenate([pause, speak("We read the report and wrote it down."), pause]))
    path = write(tmp_path / "audio.flac", speech + noise(len(speech) / 48000, -40))
    request = pb.SeparateRequest(audio=artifact_to_pb(store.put(path, "audio/flac")))
    responses = [response async for response in stub.Separate(request)]
    result = responses[-1].result
    assert (result.engine.name, result.engine.device) == ("demucs", "cpu")
    weights, detector = result.engine.ingredients
    assert (weights.name, weights.licence, detector.name) == ("tiny", "not for sale", "silero-vad")
    assert weights.HasField("commercial_use")
    assert not weights.commercial_use
    assert len(result.speech_spans) == 1
    assert result.HasField("residual")
    (advice,) = result.engine.advice
    assert advice.startswith("demucs runs on the CPU")
    fractions = [response.progress.fraction for response in responses[:-1]]
    assert fractions == sorted(fractions)
