"""Projects for video editors say what the files beside them are, and where the emotions change."""

import numpy as np
import opentimelineio as otio
import pytest

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_gateway.results.project import Gain, key_frames, write
from etbgm_kit.converters import seconds_to_pb


def span(start_s: float, end_s: float) -> media_pb2.Span:
    return media_pb2.Span(start=seconds_to_pb(start_s), end=seconds_to_pb(end_s))


@pytest.fixture
def result() -> gateway_pb2.JobResult:
    emotions = media_pb2.EmotionTimeline(duration=seconds_to_pb(10))
    emotions.spans.add(span=span(0, 4), emotion=media_pb2.EMOTION_JOY)
    emotions.spans.add(span=span(4, 10), emotion=media_pb2.EMOTION_SADNESS)
    section = riffusion_pb2.Section(span=span(0, 4), key="D dorian", tempo_bpm=96.4)
    variant = gateway_pb2.Variant(number=2, style="jazz", sections=[section])
    speech = media_pb2.Artifact(uri="artifact://sha256/ab.flac")
    return gateway_pb2.JobResult(variants=[variant], timeline=emotions, container="mov", speech=speech)


def project_of(result: gateway_pb2.JobResult, speech: Gain | None) -> otio.schema.Timeline:
    text = write(result.variants[0], result, 30000 / 1001, speech)
    timeline = otio.adapters.read_from_string(text, "otio_json")
    assert isinstance(timeline, otio.schema.Timeline)
    return timeline


def test_the_finished_sound_plays_and_its_parts_lie_muted_beside_it(result: gateway_pb2.JobResult) -> None:
    project = project_of(result, Gain(0.1, [3.0] * 100))
    tracks = [(track.kind, track[0].media_reference.target_url, track.enabled) for track in project.tracks]
    assert tracks == [
        ("Video", "variant-2.mov", True),
        ("Audio", "variant-2.mov", True),
        ("Audio", "speech.flac", False),
        ("Audio", "variant-2.music.flac", False),
    ]
    for track in project.tracks:
        assert track.duration().to_seconds() == pytest.approx(10, abs=0.02)
        assert track[0].source_range == track[0].media_reference.available_range
    [effect] = project.tracks[2][0].effects
    frames = effect.metadata["etbgm"]["key_frames"]
    assert [(one["time_s"], one["gain_db"]) for one in frames] == [(0, 3), (9.9, 3)]


def test_emotions_and_sections_are_markers(result: gateway_pb2.JobResult) -> None:
    markers = [
        (one.name, one.color, round(one.marked_range.start_time.to_seconds(), 1))
        for one in project_of(result, None).tracks.markers
    ]
    assert markers == [("Joy", "YELLOW", 0.0), ("Sadness", "BLUE", 4.0), ("D dorian, 96 bpm", "PINK", 0.0)]


@pytest.mark.parametrize("rate", [24.0, 24000 / 1001, 25.0, 30000 / 1001, 50.0, 60000 / 1001])
def test_projects_become_final_cut_pro_xml(result: gateway_pb2.JobResult, rate: float) -> None:
    """The official adapter, which refuses what Premiere and Resolve would not read."""
    text = write(result.variants[0], result, rate, Gain(0.1, [3.0] * 100))
    project = otio.adapters.read_from_string(text, "otio_json")
    converted = otio.adapters.write_to_string(project, "fcp_xml")
    again = otio.adapters.read_from_string(converted, "fcp_xml")
    assert [(track.kind, len(track)) for track in again.tracks] == [("Video", 1), *[("Audio", 1)] * 3]
    assert [track.duration().to_seconds() for track in again.tracks] == pytest.approx([10] * 4, abs=0.05)
    assert {"Joy", "Sadness"} <= {one.name for one in again.tracks.markers}


@pytest.mark.parametrize(("adapter", "tracks"), [("fcpx_xml", 4), ("cmx_3600", 1)])
def test_projects_become_other_formats(result: gateway_pb2.JobResult, adapter: str, tracks: int) -> None:
    """Final Cut Pro X, and an edit decision list of the picture."""
    project = otio.adapters.read_from_string(write(result.variants[0], result, 25.0, None), "otio_json")
    converted = otio.adapters.write_to_string(project, adapter)
    again = otio.adapters.read_from_string(converted, adapter)
    assert len(again.tracks) == min(tracks, 3)


def test_without_separated_speech_there_is_no_track_of_it(result: gateway_pb2.JobResult) -> None:
    assert len(project_of(result, None).tracks) == 3


def test_key_frames_follow_the_curve_within_half_a_decibel() -> None:
    random = np.random.default_rng(1)
    curve = np.cumsum(random.normal(0, 0.2, 5000)) + np.where(np.arange(5000) % 700 < 300, 0, 6)
    frames = key_frames(Gain(0.1, curve.tolist()))
    times, gains = np.array(frames).T
    error = np.interp(np.arange(5000) * 0.1, times, gains) - curve
    assert abs(error).max() <= 0.5 + 1e-9
    assert len(frames) < 2500


@pytest.mark.parametrize("length", [0, 1, 2, 72_000])
def test_a_constant_gain_has_its_ends_as_key_frames(length: int) -> None:
    frames = key_frames(Gain(0.1, [-2.0] * length))
    assert frames == [(0.0, -2.0), (round((length - 1) * 0.1, 3), -2.0)][: min(length, 2)]
