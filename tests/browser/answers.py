"""Answers of the API for states that a real server reaches slowly, seldom or not at all."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Route

EMOTIONS = ("JOY", "NEUTRAL", "SADNESS", "SURPRISE", "FEAR", "ANGER", "DISGUST")
_TIME = "2026-11-30T08:00:00Z"


def job(state: str, **others: Any) -> dict[str, Any]:
    """A job as JSON."""
    artifact = {"uri": f"artifact://sha256/{'0' * 64}.mp4", "sizeBytes": "1000", "mediaType": "video/mp4"}
    fields = {"jobId": "made-up", "state": f"STATE_{state}", "video": artifact, "stages": [], "settings": {}}
    return {**fields, "createTime": _TIME, "userMetadata": {"name": "holiday.mp4"}, "previews": [], **others}


def failed() -> dict[str, Any]:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "STORAGE_FULL"}
    return job("FAILED", error={"code": 8, "message": "a disk is full", "details": [info]})


def queued() -> dict[str, Any]:
    return job("QUEUED", queuePosition=3, estimatedStartTime="2099-01-01T00:00:00Z")


def waiting() -> dict[str, Any]:
    done = {"startTime": _TIME, "endTime": _TIME, "fraction": 1, "found": True, "waitingFor": ""}
    running = {"startTime": _TIME, "fraction": 0.4, "found": False, "waitingFor": "separator"}
    return job("RUNNING", stages=[{"stage": "STAGE_INGEST", **done}, {"stage": "STAGE_SEPARATE", **running}])


def serve(context: BrowserContext, answer: dict[str, Any]) -> str:
    """Lets pages of the context see this job; returns its place."""
    place = f"jobs/{answer['jobId']}"

    def watch(route: Route) -> None:
        route.fulfill(
            content_type="text/event-stream", body=f"retry: 60000\nevent: job\ndata: {json.dumps(answer)}\n\n"
        )

    context.route(f"**/v1/{place}", lambda route: route.fulfill(json={"job": answer}))
    context.route(f"**/v1/{place}:watch", watch)
    context.route(f"**/v1/artifacts/{'0' * 64}.mp4", lambda route: route.fulfill(status=404, json={}))
    return place


def serve_long(context: BrowserContext, video: Path, hours: float = 2.0) -> str:
    """A finished job of a long video: two thousand emotions, five thousand captions. Returns its place."""
    duration_s = hours * 3600
    span_s, cue_s = 3.6, 1.44

    def span(i: int, each_s: float) -> dict[str, str]:
        return {"start": f"{i * each_s:.3f}s", "end": f"{(i + 1) * each_s:.3f}s"}

    spans = [
        {"span": span(i, span_s), "emotion": f"EMOTION_{EMOTIONS[i % 7]}", "probability": 0.5 + (i % 5) / 10}
        for i in range(round(duration_s / span_s))
    ]
    steps = range(round(duration_s * 10))
    speech = [-18 + 6 * math.sin(i / 7) if i % 200 < 150 else None for i in steps]
    music = [-32 + 4 * math.sin(i / 90) for i in steps]
    pairs = [sign * (20 + i * 37 % 100) for i in range(2 * len(steps)) for sign in (-1, 1)]
    times = [(i, i * cue_s) for i in range(round(duration_s / cue_s))]
    cues = "".join(f"{_clock(s)} --> {_clock(s + 1.3)}\nwords number {i}\n\n" for i, s in times)
    phrases = [{"span": span(i, span_s), "arousal": (i % 11) / 10} for i in range(len(spans))]
    files = {
        "1": json.dumps({"step_s": 0.1, "speech_lufs": speech, "music_lufs": music}),
        "2": json.dumps({"sample_rate": 48000, "samples_per_pixel": 2400, "bits": 8, "data": pairs}),
        "3": f"WEBVTT\n\n{cues}",
        "4": json.dumps({"phrases": phrases}),
        "6": json.dumps({"segments": [{"words": _words(i, s)} for i, s in times]}),
    }
    for digit, body in files.items():
        context.route(_path(digit), _answering(body))
    context.route(_path("5"), lambda route: route.fulfill(path=video, content_type="video/mp4"))
    sections = range(round(duration_s / 60))
    variant = {
        "number": 1,
        "style": "ambient",
        "sections": [{"span": span(i, 60), "key": "D dorian", "tempoBpm": 90} for i in sections],
        "levels": _stored("1"),
        "waveform": _stored("2"),
        "video": _stored("5"),
        "report": {"integratedLoudnessLufs": -14},
    }
    result = {
        "variants": [variant],
        "timeline": {"duration": f"{duration_s}s", "spans": spans},
        "container": "mp4",
        "timelineJson": _stored("4"),
        "transcriptVtt": _stored("3"),
        "transcriptJson": _stored("6"),
        "speechSpans": [span(i, 20) for i in range(0, round(duration_s / 20), 2)],
    }
    return serve(context, job("SUCCEEDED", result=result, video=_stored("5")))


def _words(number: int, start_s: float) -> list[dict[str, Any]]:
    """The three words of a caption."""
    texts = ("words", "number", str(number))
    return [
        {
            "span": {"start": f"{start_s + 0.4 * k:.3f}s", "end": f"{start_s + 0.4 * k + 0.3:.3f}s"},
            "text": text,
        }
        for k, text in enumerate(texts)
    ]


def _answering(body: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=body)


def _path(digit: str) -> str:
    return f"**/v1/artifacts/{digit * 64}"


def _stored(digit: str) -> dict[str, str]:
    return {"uri": f"artifact://sha256/{digit * 64}", "sizeBytes": "999999999"}


def _clock(s: float) -> str:
    return f"{int(s // 3600):02}:{int(s // 60) % 60:02}:{s % 60:06.3f}"
