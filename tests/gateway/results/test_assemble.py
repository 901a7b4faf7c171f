"""The files of a result."""

import json
from unittest import mock

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm.stt.v1 import stt_pb2
from etbgm_gateway.pipeline.timelines import neutral
from etbgm_gateway.results import plot
from etbgm_gateway.results.assemble import Made, Results
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb, seconds_to_pb, timeline_to_pb


def made(store: ArtifactStore, music_lufs: float) -> Made:
    def put(data: str) -> media_pb2.Artifact:
        return artifact_to_pb(store.put_bytes(data.encode(), "application/json"))

    levels = {"step_s": 0.1, "speech_lufs": [-16.0] * 50, "music_lufs": [music_lufs] * 50}
    return Made(
        video=put("video"),
        settings=gateway_pb2.JobSettings(),
        media=mixer_pb2.ExtractResult(facts=mixer_pb2.MediaFacts(duration=seconds_to_pb(5))),
        stems=mixer_pb2.SeparateResult(),
        transcript=stt_pb2.TranscribeResult(),
        seen=mixer_pb2.AnalyzePictureResponse(),
        analysis=sentiment_pb2.AnalyzeResponse(timeline=timeline_to_pb(neutral(5.0))),
        music_beds=[],
        mixes=[mixer_pb2.MixResult(levels=put(json.dumps(levels)))],
        stages=[],
        hold=lambda _: None,
    )


def test_a_plot_is_drawn_once(store: ArtifactStore) -> None:
    results = Results(store)
    with mock.patch.object(plot, "draw", wraps=plot.draw) as draw:
        first, second = (results._plot(made(store, -20.0), artifact(store, "same")) for _ in range(2))
        assert draw.call_count == 1
        assert first == second
        other = results._plot(made(store, -30.0), artifact(store, "same"))
        assert other != first
        results._plot(made(store, -20.0), artifact(store, "other"))
        assert draw.call_count == 3


def artifact(store: ArtifactStore, text: str) -> media_pb2.Artifact:
    return artifact_to_pb(store.put_bytes(text.encode(), "application/json"))
