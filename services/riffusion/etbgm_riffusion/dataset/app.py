"""`etbgm-riffusion dataset`: builds, composes, counts and checks data sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etbgm_riffusion.console import console, print_facts, progress_bar, told
from etbgm_riffusion.dataset.layout import Layout, with_layout

if TYPE_CHECKING:
    from etbgm_riffusion.composer.engine import ComposerEngine
    from etbgm_riffusion.dataset.types import Dataset as Made

app = typer.Typer(no_args_is_help=True, help="Make and check data sets of captioned spectrograms.")

Out = Annotated[
    Path, typer.Option("--out", "-o", help="Folder of the data set; an unfinished one is continued.")
]
SoundFont = Annotated[Path | None, typer.Option(help="SoundFont of the composer. Default: an installed one.")]
Dataset = Annotated[Path, typer.Argument(help="Folder of a finished data set.")]


@app.command()
@with_layout
def build(
    folder: Annotated[Path, typer.Argument(help="Folder with music.")],
    out: Out,
    layout: Layout,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Licence and owner of each source (CSV). Default: FOLDER/manifest.csv."),
    ] = None,
    soundfont: SoundFont = None,
) -> None:
    """Make a data set of a folder of music whose rights a manifest states."""
    with told():
        from etbgm_riffusion.dataset import audio
        from etbgm_riffusion.dataset.build import Music
        from etbgm_riffusion.dataset.build import build as build_dataset
        from etbgm_riffusion.dataset.manifest import MANIFEST

        music = Music(folder, manifest or folder / MANIFEST)
        total_s = 2 * sum(audio.duration_s(folder / source) for source in music.sources(out))
        composer = _composer(soundfont)
        with progress_bar() as progress:
            task = progress.add_task("", total=total_s)
            built = build_dataset(
                music, out, layout, composer,
                lambda source, done_s: progress.update(task, advance=done_s, description=source),
            )  # fmt: skip
        for fault in built.faults:
            typer.echo(fault, err=True)
        _print_made(out, built.dataset)


@app.command()
@with_layout
def compose(
    out: Out,
    owner: Annotated[str, typer.Option(help="Who owns the music: you.")],
    layout: Layout,
    style: Annotated[list[str] | None, typer.Option(help="Style; repeatable. Default: all.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Pieces of each emotion and style.")] = 2,
    first_seed: Annotated[int, typer.Option(min=0, help="Random seed of the first piece.")] = 1,
    seconds: Annotated[float, typer.Option(min=6.0, max=600.0, help="Duration of a piece.")] = 32.0,
    soundfont: SoundFont = None,
) -> None:
    """Make a data set of the composer's own music: the smallest legal start."""
    with told():
        from etbgm_kit.types import Emotion
        from etbgm_riffusion.composer.styles import STYLES
        from etbgm_riffusion.dataset.compose import ComposeSettings, compose_dataset

        composer = _composer(soundfont)
        random_seeds = tuple(range(first_seed, first_seed + seeds))
        settings = ComposeSettings(owner, tuple(style or STYLES), random_seeds, seconds)
        with progress_bar() as progress:
            task = progress.add_task("", total=len(Emotion) * len(settings.styles) * seeds)
            made = compose_dataset(
                out, settings, layout, composer,
                lambda name: progress.update(task, advance=1, description=name),
            )  # fmt: skip
        _print_made(out, made)


@app.command()
def stats(dataset: Dataset) -> None:
    """Count clips by emotion, licence and split."""
    with told():
        from etbgm_riffusion.dataset.folder import DatasetFolder
        from etbgm_riffusion.dataset.inspect import stats_of

        found = stats_of(DatasetFolder(dataset))
        facts = {"training clips": found.clips["train"], "held-out clips": found.clips["validation"]}
        facts |= {"pieces": found.pieces, "emotions that were guessed": found.guessed}
        fewest, most = found.caption_words
        print_facts(
            str(dataset),
            facts | {"minutes": round(found.minutes, 1), "words in captions": f"{fewest} to {most}"},
        )
        print_facts("clips by emotion", {str(name): count for name, count in found.emotions.items()})
        print_facts("clips by licence", found.licences)


@app.command()
def check(dataset: Dataset) -> None:
    """Look for broken, clipped, empty and off-centre images, wrong rows, and rare emotions.

    The exit status is 1 if there are errors; warnings do not change it.
    """
    with told():
        from etbgm_riffusion.dataset.folder import DatasetFolder
        from etbgm_riffusion.dataset.inspect import findings_in

        findings = list(findings_in(DatasetFolder(dataset)))
    for finding in findings:
        kind = "error" if finding.is_error else "warning"
        console.print(f"{kind}: {finding.where} {finding.what}", markup=False, highlight=False)
    errors = sum(finding.is_error for finding in findings)
    console.print(f"{errors} errors, {len(findings) - errors} warnings", highlight=False)
    raise typer.Exit(1 if errors else 0)


def _composer(soundfont: Path | None) -> "ComposerEngine":
    """Returns a loaded composer."""
    from etbgm_riffusion.composer.engine import ComposerEngine

    composer = ComposerEngine(soundfont)
    composer.load()
    return composer


def _print_made(out: Path, made: "Made") -> None:
    facts = {
        "training clips": made.clips["train"],
        "held-out clips": made.clips["validation"],
        "near-duplicates left out": made.duplicates,
        "silent clips left out": made.silent,
        "look through it": out / "index.html",
    }
    print_facts(str(out), facts)
