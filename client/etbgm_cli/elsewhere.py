"""`etbgm jobs remix` and `create`: jobs whose videos are not on this machine."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import transfers_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm_cli import watching
from etbgm_cli.console import console, guarded, showing_errors
from etbgm_cli.gateway import ADDRESS, Gateway, JobId
from etbgm_cli.options import MUSIC_LEVELS_LU, hits_to_pb, read_cuts, read_timeline
from etbgm_client import AsyncClient
from etbgm_kit.converters import seconds_to_pb
from etbgm_kit.errors import InvalidField

_LEVEL = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)=(-?\d+(?:\.\d+)?)")

Style = Annotated[str, typer.Option(help="Style name, or hints; see `etbgm run`.")]
Variants = Annotated[int | None, typer.Option(help="Number of variants, 1-8.")]
MusicLevel = Annotated[
    Literal["low", "medium", "high"] | None, typer.Option(help="Level of the music; see `etbgm run`.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="START-END=DB",
        help="Change the music by so many dB between two times in seconds, such as 12-20.5=-6; "
        "-60 is silence. Repeatable.",
    ),
]
Marking = Annotated[
    Literal["off", "subtle", "strong"] | None,
    typer.Option(help="How the music marks cuts; see `etbgm run`."),
]
Cuts = Annotated[
    Path | None, typer.Option(help="Cuts to mark instead (JSON), such as an edited timeline.json of the job.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Print the job's id and exit.")]


def create(
    source_url: Annotated[
        str, typer.Argument(help="URL that the gateway fetches the video from: https://…, s3://bucket/key, …")
    ],
    to: Annotated[
        str, typer.Option(help="Folder of a bucket that the results are copied to: s3://bucket/folder/, …")
    ] = "",
    style: Style = "",
    variants: Variants = None,
    music: MusicLevel = None,
    detach: Detach = False,
    gateway: Gateway = ADDRESS,
) -> None:
    """Make a job of a video that the gateway fetches; the operator says from where it may."""
    settings = pb.JobSettings(style=style, variants=variants)
    _add_mix(settings.mix, None, music, None)
    destination = transfers_pb2.Destination(url=to) if to else None

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            await _follow(
                client, await client.create_job(source_url, settings, destination=destination), detach
            )

    guarded(work())


def remix(
    job_id: JobId,
    style: Style = "",
    seed: Annotated[int | None, typer.Option(help="Random seed of the music.")] = None,
    variant: Annotated[
        int | None, typer.Option(min=1, help="Apply --style and --seed to this variant only.")
    ] = None,
    variants: Variants = None,
    loudness: Annotated[float | None, typer.Option(help="Target loudness in LUFS.")] = None,
    music: MusicLevel = None,
    ambience: Annotated[
        float | None, typer.Option(help="Keep background sounds at this level in dB; see `etbgm run`.")
    ] = None,
    music_level: Changes = None,
    timeline: Annotated[Path | None, typer.Option(help="Emotion timeline (JSON) to use instead.")] = None,
    hits: Marking = None,
    cuts: Cuts = None,
    detach: Detach = False,
    gateway: Gateway = ADDRESS,
) -> None:
    """Make a job like another one with other settings; only what they touch is computed again."""
    with showing_errors():
        request = pb.RemixJobRequest(job_id=job_id, settings=_music(style, seed, variant, variants))
        _add_mix(request.settings.mix, loudness, music, ambience)
        if music_level:
            request.settings.mix.music_levels.extend(map(_music_level, music_level))
        if timeline is not None:
            request.settings.timeline.CopyFrom(read_timeline(timeline))
        _add_hits(request.settings, hits, cuts)
    guarded(_run(request, gateway, detach))


def _music(style: str, seed: int | None, variant: int | None, variants: int | None) -> pb.JobSettings:
    if variant is None:
        return pb.JobSettings(style=style, random_seed=seed, variants=variants)
    if not style and seed is None:
        raise InvalidField("variant", "needs --style or --seed")
    one = pb.VariantSettings(number=variant, style=style, random_seed=seed)
    return pb.JobSettings(variants=variants, variant_settings=[one])


def _music_level(text: str) -> mixer_pb2.MusicLevel:
    found = _LEVEL.fullmatch(text)
    if not found:
        raise InvalidField("music-level", f"must be START-END=DB, such as 12-20.5=-6, got {text}")
    start, end = (seconds_to_pb(float(time)) for time in found.groups()[:2])
    return mixer_pb2.MusicLevel(span=media_pb2.Span(start=start, end=end), gain_db=float(found[3]))


def _add_mix(
    mix: mixer_pb2.MixSettings, loudness_lufs: float | None, music: str | None, ambience_db: float | None
) -> None:
    if loudness_lufs is not None:
        mix.target_loudness_lufs = loudness_lufs
    if music is not None:
        mix.speech_to_music_lu = MUSIC_LEVELS_LU[music]
    if ambience_db is not None:
        mix.ambience_db = ambience_db


def _add_hits(settings: pb.JobSettings, hits: str | None, cuts: Path | None) -> None:
    if hits is not None:
        settings.hits = hits_to_pb(hits)
    if cuts is not None:
        settings.cuts.CopyFrom(read_cuts(cuts))


async def _run(request: pb.RemixJobRequest, gateway: str, detach: bool) -> None:
    async with AsyncClient(gateway) as client:
        await _follow(client, await client.remix_job(request), detach)


async def _follow(client: AsyncClient, job: pb.Job, detach: bool) -> None:
    console.print(job.job_id)
    if not detach:
        watching.require_success(await watching.show(client.watch(job.job_id), console))
