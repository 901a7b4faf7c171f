"""Facts travel from Extract to Mix, so a video is looked through once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Span
from etbgm_mixer.converters import facts_from_pb, facts_to_pb
from etbgm_mixer.media.probe import Limits, TooLarge, probe
from etbgm_mixer.separation.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.service import MixerService
from etbgm_mixer.types import (
    AudioStream,
    MediaFacts,
    Mixed,
    MixRequest,
    MixSettings,
    MusicCue,
    SubtitleStream,
    VideoStream,
)
from tests.mixer.conftest import MakeClip, noise, write

pytestmark = pytest.mark.process

FACTS = MediaFacts(
    container="mov,mp4,m4a,3gp,3g2,mj2",
    brand="qt",
    origin_s=0.08,
    duration_s=2.5,
    size_bytes=1000,
    video=VideoStream(1, "h264", 640, 360, 25.0, 90, 62, ("Spherical Mapping",)),
    audio=AudioStream(0, "aac", 44100, 1),
    subtitles=(
        SubtitleStream(3, "mov_text", "en", is_default=True),
        SubtitleStream(4, "ass", "spa", is_partial=True, is_hearing_impaired=True),
    ),
    notes=("The file states a length of 9.0 s, it lasts 2.5 s.",),
    other_audio=(AudioStream(2, "opus", 48000, 6, "5.1"),),
    is_steady=False,
)


@pytest.mark.parametrize(
    "facts", [FACTS, replace(FACTS, origin_s=-2.3, audio=None, other_audio=(), subtitles=(), notes=())]
)
def test_facts_arrive_as_they_were_sent(facts: MediaFacts) -> None:
    sent = pb.MediaFacts.FromString(facts_to_pb(facts).SerializeToString())
    assert facts_from_pb(sent, facts.size_bytes) == facts


@pytest.mark.parametrize(
    "forget",
    [
        lambda facts: facts.ClearField("origin"),
        lambda facts: facts.ClearField("video"),
        lambda facts: facts.audio.ClearField("index"),
        lambda facts: facts.subtitles[0].ClearField("index"),
    ],
)
def test_facts_with_gaps_are_not_used(forget: Callable[[pb.MediaFacts], None]) -> None:
    sent = facts_to_pb(FACTS)
    forget(sent)
    assert facts_from_pb(sent, FACTS.size_bytes) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda facts: setattr(facts, "size_bytes", 999), "facts.size_bytes"),
        (lambda facts: facts.duration.FromSeconds(0), "facts"),
        (lambda facts: setattr(facts.audio, "index", 1), "facts"),
        (lambda facts: setattr(facts.video, "index", -1), "facts"),
    ],
)
def test_facts_that_cannot_be_true_are_refused(change: Callable[[pb.MediaFacts], None], field: str) -> None:
    sent = facts_to_pb(FACTS)
    change(sent)
    with pytest.raises(InvalidField) as caught:
        facts_from_pb(sent, FACTS.size_bytes)
    assert str(caught.value).startswith(f"{field}:")


def mix(tmp_path: Path, store: ArtifactStore, clip: Path, limits: Limits, facts: MediaFacts | None) -> Mixed:
    """A mix of 2 s of music under a clip."""
    service = MixerService(
        store, Scratch(tmp_path / "work"), limits, 60.0, lambda: (DeepFilterSeparator(), ())
    )
    music = store.put(write(tmp_path / "music.flac", noise(2)), "audio/flac")
    cues = (MusicCue(music, Span(0, 2)),)
    video = store.put(clip, "video/mp4")
    request = MixRequest(video, None, None, (), cues, MixSettings(), None, facts)
    return service.mix(request, lambda _: None)


def test_a_video_whose_facts_are_known_is_not_looked_through_again(
    tmp_path: Path, store: ArtifactStore, make_clip: MakeClip, limits: Limits
) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264")
    facts = probe(clip, limits)
    no_time = replace(limits, probe_timeout_s=0.0)
    assert mix(tmp_path, store, clip, no_time, facts).container == "mp4"


def test_known_facts_obey_the_limits_too(
    tmp_path: Path, store: ArtifactStore, make_clip: MakeClip, limits: Limits
) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264")
    facts = probe(clip, limits)
    with pytest.raises(TooLarge):
        mix(tmp_path, store, clip, replace(limits, max_duration_s=1.0), facts)
