"""The process that looks through a video."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.picture.watch import SILENT_DB, UNSEEN, energies_db, watch
from tests.mixer.conftest import MakeClip, noise, write

pytestmark = pytest.mark.process


def test_every_second_has_a_mood_and_damage_is_a_note(make_clip: MakeClip, limits: Limits) -> None:
    clip = make_clip("clip.mp4", picture="testsrc2=s=160x120:r=25:d=3", tone=False)
    facts = probe(clip, limits)
    shares: list[float] = []
    seen = watch(clip, facts, None, shares.append, 60)
    assert (seen.cuts, seen.notes) == ((), ())
    assert seen.mood is not None
    assert len(seen.mood.arousal) == len(seen.mood.valence) == len(seen.mood.certainty) == 3
    assert shares == sorted(shares)
    missing = replace(facts, video=replace(facts.video, index=5))
    assert watch(clip, missing, None, shares.append, 60).notes == (UNSEEN,)


def test_energy_is_that_of_each_second(tmp_path: Path) -> None:
    sound = write(tmp_path / "sound.flac", np.concatenate([noise(1, -20.0), noise(1, -40.0)]))
    assert energies_db(sound, 3) == pytest.approx([-20, -40, SILENT_DB], abs=0.2)
