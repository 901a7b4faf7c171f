"""The result folder: everything a job made, under names that explain themselves."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_gateway.cli.client import GatewayClient


def names(result: pb.JobResult) -> Iterator[tuple[str, media_pb2.Artifact]]:
    """The file name and the artifact of everything that `result` holds."""
    for variant in result.variants:
        stem = f"variant-{variant.number}"
        yield f"{stem}.{result.container}", variant.video
        yield f"{stem}.music.flac", variant.music
        yield f"{stem}.mid", variant.midi
        yield f"{stem}.pianoroll.png", variant.picture
        for part in variant.stems:
            yield f"{stem}.stems/{part.name}.flac", part.sound
        yield f"{stem}.levels.json", variant.levels
    yield "speech.flac", result.speech
    yield "residual.flac", result.residual
    yield "transcript.srt", result.transcript_srt
    yield "transcript.vtt", result.transcript_vtt
    yield "timeline.json", result.timeline_json
    yield "timeline.png", result.timeline_plot
    yield "report.json", result.report


async def fetch(client: GatewayClient, result: pb.JobResult, folder: Path) -> None:
    """Downloads all of `result` into `folder`, which is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, artifact in names(result):
        if artifact.uri:
            (folder / name).parent.mkdir(exist_ok=True)
            await client.download(artifact, folder / name)


def copy_variant(result: pb.JobResult, folder: Path, number: int, target: Path) -> None:
    """Copies the video of variant `number` from the result folder to `target`."""
    shutil.copyfile(folder / f"variant-{number}.{result.container}", target)
