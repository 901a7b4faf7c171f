"""The commands: `run`, `compose`, `serve`, `ui`, `share`, `mcp` and `doctor`, and groups of others."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer

from etbgm_cli import doctor, jobs, keys, models, serving, sharing, webhooks
from etbgm_cli.compose import ComposeRequest, compose_here, compose_there
from etbgm_cli.console import guarded, print_warning, showing_errors
from etbgm_cli.gateway import ADDRESS, Gateway
from etbgm_cli.options import JobOptions
from etbgm_cli.requests import requests_of
from etbgm_cli.run import run_here, run_there
from etbgm_cli.serving import folder_of

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(jobs.app, name="jobs")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.add_typer(webhooks.app, name="webhooks")
app.command()(serving.serve)
app.command()(serving.ui)
app.command()(sharing.share)


@app.callback()
def etbgm() -> None:
    """Add background music to a video that follows the emotions in its speech."""


@app.command()
def run(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Video files.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Video to write; with several videos, the folder to write to "
            "(default: VIDEO-with-music beside each input).",
        ),
    ] = None,
    choose: Annotated[int, typer.Option(min=1, help="Number of the variant to write as the new video.")] = 1,
    variants: Annotated[int | None, typer.Option(help="Number of variants, 1-8 (default: 4).")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Random seed of the music (default: derived from the video).")
    ] = None,
    style: Annotated[
        str, typer.Option(help='Style name, or hints such as "calm piano" or "epic, no drums".')
    ] = "auto",
    stems: Annotated[
        bool, typer.Option("--stems", help="Also write each instrument group as a separate file.")
    ] = False,
    otio: Annotated[
        bool, typer.Option("--otio", help="Also write each variant as a project for video editors.")
    ] = False,
    original_audio: Annotated[
        Literal["speech_only", "keep", "none"], typer.Option(help="What to keep of the original sound.")
    ] = "speech_only",
    ambience: Annotated[
        float | None,
        typer.Option(
            help="Keep background sounds such as waves at this level in dB relative to the original, "
            "for example -18 (default: removed)."
        ),
    ] = None,
    audio_track: Annotated[
        int | None,
        typer.Option(min=1, help="Audio track to use, from 1 (default: the one with the most speech)."),
    ] = None,
    mix_audio_tracks: Annotated[
        bool, typer.Option("--mix-audio-tracks", help="Use the sum of all audio tracks.")
    ] = False,
    keep_original_track: Annotated[
        bool,
        typer.Option(
            "--keep-original-track", help="Add the video's own audio tracks, unchanged, to the result."
        ),
    ] = False,
    loudness: Annotated[float | None, typer.Option(help="Target loudness in LUFS (default: -14).")] = None,
    music: Annotated[
        Literal["low", "medium", "high"] | None,
        typer.Option(help="Level of the music: 18, 14 or 10 LU below the speech (default: medium)."),
    ] = None,
    speech_to_music: Annotated[
        float | None,
        typer.Option(
            help="Level of the speech above the music in LU (default: 14); use 20 for accessibility."
        ),
    ] = None,
    min_emotion: Annotated[
        float | None, typer.Option(help="Minimum duration of an emotion in seconds (default: 5).")
    ] = None,
    smoothing: Annotated[
        Literal["rule", "viterbi"] | None, typer.Option(help="Method that smooths the emotion timeline.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Spoken language as a BCP-47 tag, for example en (default: detected).")
    ] = None,
    translate: Annotated[
        bool, typer.Option("--translate", help="Also write the transcript in English.")
    ] = False,
    captions: Annotated[
        Path | None, typer.Option(help="SRT or VTT file to use instead of speech recognition.")
    ] = None,
    ignore_subtitles: Annotated[
        bool, typer.Option("--ignore-subtitles", help="Recognise the speech even if the video has subtitles.")
    ] = False,
    no_voice: Annotated[
        bool, typer.Option("--no-voice", help="Derive the strength of emotions from the words alone.")
    ] = False,
    picture: Annotated[
        Literal["on", "off"],
        typer.Option(help="Let the music follow what is seen where nobody speaks (default: on)."),
    ] = "on",
    hits: Annotated[
        Literal["off", "subtle", "strong"] | None,
        typer.Option(help="How the music marks cuts: not, by beats, or also by accents (default: subtle)."),
    ] = None,
    cuts: Annotated[
        Path | None, typer.Option(help="Cuts to mark (JSON), such as an edited timeline.json of a result.")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(help="Emotion timeline (JSON) to use instead of emotion analysis.")
    ] = None,
    denoising_strength: Annotated[
        float | None,
        typer.Option(help="Riffusion only: 0 keeps the composed sound, 1 ignores it (default: 0.5)."),
    ] = None,
    adapter: Annotated[
        list[str] | None,
        typer.Option(help="Riffusion only: LoRA adapter as NAME or NAME=WEIGHT; repeatable."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE by which `etbgm jobs list` finds the job; repeatable.")
    ] = None,
    priority: Annotated[
        int, typer.Option(min=0, max=100, help="Higher priorities start first among your waiting jobs.")
    ] = 0,
    gateway: Annotated[
        str | None,
        typer.Option(envvar="ETBGM_GATEWAY", help="Address of a running gateway; starts no local services."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="With --gateway: print the job ids and exit.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Cache folder, safe to delete (default: ~/.cache/etbgm).")
    ] = None,
) -> None:
    """Add music to videos. Writes each new video and, beside it, a folder with all variants and parts."""
    options = JobOptions(
        variants=variants, random_seed=seed, style=style, original_audio=original_audio,
        loudness_lufs=loudness, speech_to_music_lu=speech_to_music, music=music, ambience_db=ambience,
        audio_track=audio_track, mix_audio_tracks=mix_audio_tracks, keep_original_track=keep_original_track,
        min_emotion_s=min_emotion, smoothing=smoothing, language=language, translate=translate,
        captions=captions, ignore_subtitles=ignore_subtitles, ignore_voice=no_voice, timeline=timeline,
        stems=stems, projects=otio, ignore_picture=picture == "off", hits=hits, cuts=cuts,
        denoising_strength=denoising_strength, adapters=tuple(adapter or ()),
        labels=tuple(label or ()), priority=priority,
    )  # fmt: skip
    with showing_errors():
        requests = requests_of(videos, output, choose, options)
    if gateway:
        guarded(run_there(requests, gateway, detach))
    else:
        guarded(run_here(requests, data or folder_of("XDG_CACHE_HOME", ".cache")))


@app.command()
def compose(
    timeline: Annotated[
        Path, typer.Argument(help="Emotion timeline (JSON), such as timeline.json of a result.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")],
    style: Annotated[
        str, typer.Option(help='Style name, or hints such as "calm piano" or "epic, no drums".')
    ] = "auto",
    seed: Annotated[
        int | None, typer.Option(help="Random seed of the music (default: derived from the timeline).")
    ] = None,
    variants: Annotated[int | None, typer.Option(help="Number of variants, 1-8 (default: 4).")] = None,
    stems: Annotated[
        bool, typer.Option("--stems", help="Also write each instrument group as a separate file.")
    ] = False,
    speech: Annotated[
        Path | None,
        typer.Option(help="Speech spans (JSON) to leave room for, or timeline.json of a result."),
    ] = None,
    riffusion: Annotated[
        str | None, typer.Option(help="Address of a running music service; requires --store-url.")
    ] = None,
    store_url: Annotated[
        str, typer.Option(envvar="ETBGM_STORE_URL", help="Artifact store of that service.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="Cache folder, safe to delete (default: ~/.cache/etbgm).")
    ] = None,
) -> None:
    """Compose music for an emotion timeline: audio, MIDI file and piano roll of each variant."""
    request = ComposeRequest(timeline, output, style, variants, seed, stems, speech)
    if riffusion:
        guarded(compose_there(request, riffusion, store_url))
    else:
        guarded(compose_here(request, data or folder_of("XDG_CACHE_HOME", ".cache")))


@app.command()
def mcp(gateway: Gateway = ADDRESS) -> None:
    """Serve agents over standard input and output (Model Context Protocol), on a running gateway."""
    try:
        from etbgm_cli.agents import server_of
    except ModuleNotFoundError as error:
        if error.name != "mcp":
            raise
        print_warning("the Model Context Protocol needs one more package: pip install 'etbgm-client[mcp]'")
        raise typer.Exit(1) from None
    server_of(gateway).run()


@app.command("doctor")
def examine() -> None:
    """Show what is installed, which engine each service uses and why, and what would improve it."""
    guarded(doctor.examine())


def main() -> None:
    """Runs the `etbgm` command."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal without UTF-8 shows escapes where the command would end in a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    app()
