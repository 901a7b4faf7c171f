"""A whole job whose music a tiny Riffusion paints."""

import json
import subprocess
from pathlib import Path

import numpy as np
import soundfile

from tests.pipeline.conftest import serving
from tests.riffusion.full import tiny_pipeline

SECONDS = 3


def test_a_job_takes_its_settings_to_riffusion_and_tells_what_made_its_music(tmp_path: Path) -> None:
    model, video, timeline = tmp_path / "tiny", tmp_path / "silent.mp4", tmp_path / "timeline.json"
    tiny_pipeline.build(model)
    source = ["-f", "lavfi", "-i", f"testsrc=duration={SECONDS}:size=160x120:rate=10"]
    subprocess.run(["ffmpeg", "-loglevel", "error", *source, "-pix_fmt", "yuv420p", video], check=True)
    spans = [
        {"span": {"start": "0s", "end": "1.5s"}, "emotion": "EMOTION_JOY", "probability": 1},
        {"span": {"start": "1.5s", "end": f"{SECONDS}s"}, "emotion": "EMOTION_SADNESS", "probability": 1},
    ]
    timeline.write_text(json.dumps({"duration": f"{SECONDS}s", "spans": spans}))
    environment = {"ETBGM_RIFFUSION_ENGINE": "riffusion", "ETBGM_RIFFUSION_MODEL": str(model)}
    with serving(tmp_path / "data", ETBGM_DEVICE="cpu", OMP_NUM_THREADS="1", **environment) as chain:
        options = ["--variants", "1", "--timeline", str(timeline), "--seed", "1"]
        kept = chain.run(video, tmp_path / "kept.mp4", *options, "--denoising-strength", "0")
        painted = chain.run(video, tmp_path / "painted.mp4", *options, "--denoising-strength", "0.1")
    assert (kept.returncode, painted.returncode) == (0, 0), kept.stderr + painted.stderr
    report = json.loads((tmp_path / "painted" / "report.json").read_text())
    assert report["settings"]["diffusion"] == {"denoising_strength": 0.1}
    (engine,) = (engine for engine in report["engines"] if engine["name"] == "riffusion")
    assert [made["name"] for made in engine["ingredients"]] == ["tiny", "FluidR3_GM"]
    sounds = [soundfile.read(tmp_path / name / "variant-1.music.flac")[0] for name in ("kept", "painted")]
    assert all(sound.std() > 1e-3 for sound in sounds)
    assert not np.allclose(*sounds, atol=1e-2)
