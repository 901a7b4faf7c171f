"""Commands: `run` for one video, `serve` for a server, `jobs` for a running server, `models` for weights."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated, Literal

import typer

from etbgm_cli import jobs, models
from etbgm_cli.compose import ComposeRequest, compose_here, compose_there
from etbgm_cli.console import console, guarded, print_warning
from etbgm_cli.options import JobOptions
from etbgm_cli.run import RunRequest, run_here, run_there
from etbgm_cli.stack import StackOptions, stack

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")


@app.callback()
def etbgm() -> None:
    """Background music that follows the emotion of what is said in a video."""


@app.command()
def run(
    video: Annotated[Path, typer.Argument(help="The video.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where the result goes; beside the video when absent."),
    ] = None,
    choose: Annotated[int, typer.Option(min=1, help="The variant that becomes the output.")] = 1,
    variants: Annotated[int | None, typer.Option(help="How many alternatives, 1-8 [default: 4].")] = None,
    seed: Annotated[int | None, typer.Option(help="Chooses the music; from the video when absent.")] = None,
    style: Annotated[
        str, typer.Option(help='Style of the music, or hints such as "calm piano" or "epic, no drums".')
    ] = "auto",
    stems: Annotated[
        bool, typer.Option("--stems", help="Also write each part of the music by itself.")
    ] = False,
    original_audio: Annotated[
        Literal["speech_only", "keep", "none"], typer.Option(help="What becomes of the video's own sound.")
    ] = "speech_only",
    loudness: Annotated[
        float | None, typer.Option(help="Loudness of the result in LUFS [default: -14].")
    ] = None,
    speech_to_music: Annotated[
        float | None,
        typer.Option(help="Speech over music in LU [default: 14]; 20 for hearing-impaired listeners."),
    ] = None,
    min_emotion: Annotated[
        float | None, typer.Option(help="Shortest emotion in seconds [default: 5].")
    ] = None,
    smoothing: Annotated[
        Literal["rule", "viterbi"] | None, typer.Option(help="How the emotion timeline is smoothed.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Spoken language, for example en.")] = None,
    speech_task: Annotated[
        Literal["transcribe", "translate"] | None,
        typer.Option(
            help="Write speech down as spoken, or in English [default: as spoken if its emotions "
            "can be read in that language]."
        ),
    ] = None,
    captions: Annotated[
        Path | None, typer.Option(help="SRT or VTT file to use in place of recognising speech.")
    ] = None,
    ignore_subtitles: Annotated[
        bool, typer.Option("--ignore-subtitles", help="Recognise speech though the video has subtitles.")
    ] = False,
    timeline: Annotated[
        Path | None, typer.Option(help="Emotion timeline (JSON) to use in place of finding the emotions.")
    ] = None,
    denoising_strength: Annotated[
        float | None,
        typer.Option(help="With Riffusion: how far it may go from the composed sound, 0-1 [default: 0.5]."),
    ] = None,
    adapter: Annotated[
        list[str] | None,
        typer.Option(help="With Riffusion: an adapter (LoRA) to use, NAME or NAME=WEIGHT; may be repeated."),
    ] = None,
    gateway: Annotated[
        str | None, typer.Option(envvar="ETBGM_GATEWAY", help="Use the server at this address; start none.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="With --gateway: print the job's id and do not wait.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Where computed parts are kept for the next run; may be deleted.")
    ] = None,
) -> None:
    """Put music under a video; write it, and a folder with all variants and parts beside it."""
    options = JobOptions(
        variants=variants, random_seed=seed, style=style, original_audio=original_audio,
        loudness_lufs=loudness, speech_to_music_lu=speech_to_music, min_emotion_s=min_emotion,
        smoothing=smoothing, language=language, speech_task=speech_task, captions=captions,
        ignore_subtitles=ignore_subtitles, timeline=timeline, stems=stems,
        denoising_strength=denoising_strength, adapters=tuple(adapter or ()),
    )  # fmt: skip
    request = RunRequest(video, output, choose, options)
    if gateway:
        guarded(run_there(request, gateway, detach))
    else:
        guarded(run_here(request, data or _folder("XDG_CACHE_HOME", ".cache")))


@app.command()
def compose(
    timeline: Annotated[
        Path, typer.Argument(help="Emotion timeline (JSON), such as timeline.json in a result folder.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the music.")],
    style: Annotated[
        str, typer.Option(help='Style of the music, or hints such as "calm piano" or "epic, no drums".')
    ] = "auto",
    seed: Annotated[
        int | None, typer.Option(help="Chooses the music; from the timeline when absent.")
    ] = None,
    variants: Annotated[int | None, typer.Option(help="How many alternatives, 1-8 [default: 4].")] = None,
    stems: Annotated[
        bool, typer.Option("--stems", help="Also write each part of the music by itself.")
    ] = False,
    speech: Annotated[
        Path | None,
        typer.Option(help="Where someone speaks (JSON): spans, or a result folder's timeline.json."),
    ] = None,
    riffusion: Annotated[
        str | None, typer.Option(help="Use the music service at this address; start none. Needs --store-url.")
    ] = None,
    store_url: Annotated[
        str, typer.Option(envvar="ETBGM_STORE_URL", help="That service's artifact store.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="Where computed parts are kept for the next run; may be deleted.")
    ] = None,
) -> None:
    """Compose for an emotion timeline, without a video: sound, MIDI file and piano roll of each variant."""
    request = ComposeRequest(timeline, output, style, variants, seed, stems, speech)
    if riffusion:
        guarded(compose_there(request, riffusion, store_url))
    else:
        guarded(compose_here(request, data or _folder("XDG_CACHE_HOME", ".cache")))


@app.command()
def serve(
    listen: Annotated[str, typer.Option(help="Where the gateway's gRPC API listens.")] = "127.0.0.1:50050",
    data: Annotated[Path | None, typer.Option(help="Where jobs, artifacts and logs are kept.")] = None,
    store_url: Annotated[
        str, typer.Option(envvar="ETBGM_STORE_URL", help="Keep artifacts there instead: s3://bucket/prefix.")
    ] = "",
    job_store_url: Annotated[
        str, typer.Option(envvar="ETBGM_JOB_STORE_URL", help="Keep jobs there instead: postgresql://…")
    ] = "",
) -> None:
    """Run all services and the gateway until stopped."""
    data = data or _folder("XDG_DATA_HOME", ".local/share")
    store_url = store_url or (data / "store").resolve().as_uri()
    guarded(_serve(StackOptions(store_url, data, data / "logs", print_warning, listen, job_store_url)))


async def _serve(options: StackOptions) -> None:
    stopping = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopping.set)
    async with stack(options) as address:
        console.print(f"ET-BGM listens on {address}; data and logs in {options.data}; Ctrl-C stops it")
        await stopping.wait()


def _folder(variable: str, default: str) -> Path:
    """Our folder by the XDG base directory specification."""
    return Path(os.environ.get(variable) or Path.home() / default) / "etbgm"


def main() -> None:
    """Runs the `etbgm` command."""
    app()
