"""`etbgm compose`: composes music for an emotion timeline, without a video."""

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from google.protobuf import json_format
from rich.progress import Progress, TaskID

from etbgm.media.v1 import media_pb2
from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm_cli import watching
from etbgm_cli.console import console, print_notes
from etbgm_cli.delivery import staged
from etbgm_cli.options import read_timeline
from etbgm_cli.output import Place, check_place, check_space
from etbgm_cli.run import temporary
from etbgm_cli.stack import one_service
from etbgm_client import ApiError
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, span_to_pb, spans_from_pb, timeline_from_pb
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.models import licences
from etbgm_kit.ranges import MOST_VARIANTS, check_range
from etbgm_kit.seeds import DEFAULT_VARIANTS, SEED_LIMIT, random_seeds
from etbgm_kit.serving.status import error_from_rpc
from etbgm_kit.types import EmotionTimeline, Span

if TYPE_CHECKING:
    from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceAsyncStub

STORE_SCHEMES = ("file://", "s3://")
DEADLINE_S, DEADLINE_PER_MEDIA_S = 900.0, 20.0
"""Deadline of a variant: fixed, and per second of music. Composing takes a twentieth of real time."""
BYTES_PER_S, STEMS = 100_000, 6
"""Estimates: bytes of a second of sound in FLAC, and the stems beside the music of a variant."""
RETRY_S = 0.5
"""Delay before a busy service is called again, unless the service specifies another delay."""


@dataclass(frozen=True)
class ComposeRequest:
    """The arguments of `compose`; None selects the default."""

    timeline: Path
    folder: Path
    style: str
    variants: int | None
    random_seed: int | None
    stems: bool
    speech: Path | None


async def compose_here(request: ComposeRequest, cache: Path) -> None:
    """Composes with a music service started for this request; keeps its results in `cache`."""
    requests = _requests(request)
    async with temporary(cache) as options, one_service("riffusion", options) as address:
        await _perform(requests, request.folder, address, options.store_url)


async def compose_there(request: ComposeRequest, address: str, store_url: str) -> None:
    """Composes with the music service at `address`, whose artifact store is `store_url`."""
    if not store_url.startswith(STORE_SCHEMES):
        raise InvalidField(
            "store-url", "must be the artifact store of that service: file:///folder or s3://bucket/prefix"
        )
    await _perform(_requests(request), request.folder, address, store_url)


def _requests(request: ComposeRequest) -> list[pb.GenerateRequest]:
    """One request per variant, each for the whole piece; checks the output too.

    Raises InvalidField, NotFound, NotEnoughSpace, StorageFull.
    """
    message = read_timeline(_existing(request.timeline, "timeline"))
    timeline = timeline_from_pb(message)
    variants = DEFAULT_VARIANTS if request.variants is None else request.variants
    check_range("variants", variants, 1, MOST_VARIANTS)
    if request.random_seed is not None:
        check_range("seed", request.random_seed, 0, SEED_LIMIT - 1)
    speech = _speech(request.speech, timeline)
    check_place(Place(request.folder), [path for path in (request.timeline, request.speech) if path])
    sounds = variants * (1 + STEMS if request.stems else 1)
    check_space([(request.folder, round(sounds * timeline.duration_s * BYTES_PER_S))])
    digest = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()
    return [
        pb.GenerateRequest(
            timeline=message,
            speech_spans=speech,
            cue=span_to_pb(Span(0.0, timeline.duration_s)),
            random_seed=seed,
            style=request.style,
            stems=request.stems,
        )
        for seed in random_seeds(variants, request.random_seed, digest)
    ]


def _existing(path: Path, field: str) -> Path:
    if not path.is_file():
        raise NotFound(f"{field}: no such file: {path}")
    return path


def _speech(path: Path | None, timeline: EmotionTimeline) -> list[media_pb2.Span]:
    """The spans in a JSON file: a list of spans, or the phrases in a result folder's timeline.json."""
    if path is None:
        return []
    try:
        document = json.loads(_existing(path, "speech").read_text(encoding="utf-8"))
        listed = document if isinstance(document, list) else [part["span"] for part in document["phrases"]]
        spans = [json_format.ParseDict(span, media_pb2.Span()) for span in listed]
    except (ValueError, KeyError, TypeError, json_format.ParseError) as error:
        raise InvalidField("speech", f"{path.name} contains no valid spans: {error}") from None
    for i, span in enumerate(spans_from_pb(spans, "speech")):
        if span.end_s > timeline.duration_s:
            raise InvalidField(f"speech[{i}]", f"ends after the timeline, at {span.end_s:.3f} s")
    return spans


async def _perform(requests: list[pb.GenerateRequest], folder: Path, address: str, store_url: str) -> None:
    store = ArtifactStore(store_url, Scratch(None))
    async with grpc.aio.insecure_channel(address) as channel:
        stub = RiffusionServiceStub(channel)
        with watching.bars(console) as progress:
            calls = [
                _generate(stub, request, progress, progress.add_task(f"variant {number}", total=1.0))
                for number, request in enumerate(requests, 1)
            ]
            results = await asyncio.gather(*calls)
    with staged(folder) as new:
        for number, (request, result) in enumerate(zip(requests, results, strict=True), 1):
            _write(result, request.random_seed, store, new.folder / f"variant-{number}")
    warnings = licences.warnings(result.engine for result in results)
    print_notes(dict.fromkeys([note for result in results for note in result.notes] + warnings), warnings)
    console.print(f"Wrote {folder}/")


async def _generate(
    stub: "RiffusionServiceAsyncStub", request: pb.GenerateRequest, progress: Progress, bar: TaskID
) -> pb.GenerateResult:
    """Returns the music. Retries until the deadline if the service is busy or restarts. Raises ApiError."""
    ends_at = time.monotonic() + DEADLINE_S + DEADLINE_PER_MEDIA_S * request.timeline.duration.seconds
    while True:
        try:
            async for response in stub.Generate(request, timeout=ends_at - time.monotonic()):
                if response.HasField("result"):
                    progress.update(bar, completed=1.0)
                    return response.result
                progress.update(bar, completed=response.progress.fraction)
        except grpc.aio.AioRpcError as failure:
            error = error_from_rpc(failure)
            if not error.is_transient or time.monotonic() > ends_at:
                raise ApiError.of(failure) from None
        await asyncio.sleep(error.retry_after_s or RETRY_S)


def _write(result: pb.GenerateResult, random_seed: int, store: ArtifactStore, folder: Path) -> None:
    for name, artifact in _files(result):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with store.borrow(artifact_from_pb(artifact)) as path:
            shutil.copyfile(path, folder / name)
    facts = pb.GenerateResult(
        sections=result.sections, style=result.style, engine=result.engine, notes=result.notes
    )
    report = {
        "random_seed": random_seed,
        **json_format.MessageToDict(facts, preserving_proto_field_name=True),
        "licences": licences.manifest([result.engine]),
    }
    (folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def _files(result: pb.GenerateResult) -> Iterator[tuple[str, media_pb2.Artifact]]:
    yield "music.flac", result.music
    yield "music.mid", result.midi
    yield "pianoroll.png", result.picture
    for stem in result.stems:
        yield f"stems/{stem.name}.flac", stem.sound
