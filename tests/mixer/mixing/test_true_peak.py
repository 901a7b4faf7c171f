"""The true peak of a preview, decoded in the mixer, is that of ffmpeg's decoder and of the sound."""

from pathlib import Path

import numpy as np
import pytest

from etbgm_mixer.media import mux
from etbgm_mixer.mixing import true_peak
from tests.mixer.conftest import RATE_HZ, noise, sine

pytestmark = pytest.mark.process


def test_the_peak_of_a_preview_is_that_of_the_video(tmp_path: Path) -> None:
    preview = tmp_path / "preview.m4a"
    with mux.encoder(preview, 60) as encode:
        for part in np.array_split(noise(2.5), 3):
            encode(part)
    peak_dbtp, sound_s = true_peak.of_video(preview, 60)
    assert true_peak.of_preview(preview) == pytest.approx(peak_dbtp, abs=0.01)
    assert sound_s == pytest.approx(2.5, abs=0.03)


def test_peaks_between_samples_and_blocks_count() -> None:
    sound = sine(0.5, -3, RATE_HZ / 4, np.pi / 4) * np.hanning(RATE_HZ // 2)[:, None].astype(np.float32)
    assert 20 * np.log10(np.abs(sound).max()) < -5.9
    for blocks in ([sound], np.array_split(sound, 7)):
        peak_dbtp, sound_s = true_peak.of_blocks(blocks)
        assert peak_dbtp == pytest.approx(-3, abs=0.1)
        assert sound_s == pytest.approx(0.5)
    assert true_peak.of_blocks([np.zeros((100, 2), np.float32)])[0] == -np.inf
