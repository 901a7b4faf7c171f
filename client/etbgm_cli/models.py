"""`etbgm models`: lists, downloads and verifies model weights and SoundFonts."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from etbgm_cli.console import EXIT_FAILED, console, showing_errors
from etbgm_cli.weights import record
from etbgm_cli.weights.record import PART
from etbgm_kit.errors import InvalidField
from etbgm_kit.models import catalogue, folders
from etbgm_kit.models.catalogue import Bundled, Entry
from etbgm_kit.serving.settings import default_models_dir

app = typer.Typer(
    no_args_is_help=True, help="List, download and verify model weights, and show what their licences permit."
)

ModelsDir = Annotated[
    Path,
    typer.Option(
        "--models-dir",
        envvar="ETBGM_MODELS_DIR",
        default_factory=default_models_dir,
        show_default="~/.local/share/etbgm/models",
        help="Folder of installed models.",
    ),
]
COLUMNS = ("name", "engine", "size", "licence", "commercial use", "status")
WIDTH = 100


@app.command("list")
def list_models(models_dir: ModelsDir) -> None:
    """List all models and SoundFonts: size, licence, commercial use, and installation status."""
    with showing_errors():
        rows = [_row(entry, models_dir) for entry in catalogue.entries()]
    if not console.is_terminal:
        for row in (COLUMNS, *rows):
            typer.echo("\t".join(row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    # A narrow terminal wraps long lines itself, so nothing is cut off.
    console.print(table, width=max(console.width, WIDTH), crop=False)
    console.print(f"Installed models are in {models_dir}")


@app.command()
def pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Model names as shown by `list`.")],
    models_dir: ModelsDir,
) -> None:
    """Download models and convert them where needed. An interrupted download is resumed."""
    with showing_errors():
        for entry in _not_bundled(_entries(names)):
            _pull(entry, models_dir)


@app.command()
def verify(
    models_dir: ModelsDir,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Model names (default: all downloaded models)."),
    ] = None,
) -> None:
    """Check the size and SHA-256 of every file of the installed models."""
    with showing_errors():
        bad = False
        if not names and not _fetched(models_dir):
            console.print(f"No models are installed in {models_dir}.")
        for entry in _not_bundled(_entries(names or []) or _fetched(models_dir)):
            faults = record.faults(models_dir / entry.name)
            bad |= bool(faults)
            for line in faults or ["all files are intact"]:
                console.print(f"{entry.name}: {line}")
    if bad:
        console.print("Run `etbgm models pull NAME` to repair a model.")
        raise typer.Exit(EXIT_FAILED)


def _pull(entry: Entry, models_dir: Path) -> None:
    from etbgm_cli.weights.install import install

    then = "; it is converted afterwards" if entry.convert else ""
    console.print(f"Downloading {entry.name} from {entry.source}{then}")
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(entry.name, total=None)
        folder = install(
            entry, models_dir, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    console.print(f"Installed {entry.name} in {folder}. Licence {entry.licence}: {entry.permitted}")


def _not_bundled(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yields the entries that can be downloaded; for every other one, prints which package contains it."""
    for entry in entries:
        if isinstance(entry.source, Bundled):
            console.print(f"{entry.name} is part of {entry.source}; no download is needed.")
        else:
            yield entry


def _row(entry: Entry, models_dir: Path) -> tuple[str, ...]:
    size = decimal(entry.size_bytes) if entry.size_bytes else "?"
    commercial_use = {True: "yes", False: "no", None: "unknown"}[entry.commercial_use]
    return entry.name, entry.engine, size, entry.licence, commercial_use, _state(entry, models_dir)


def _state(entry: Entry, models_dir: Path) -> str:
    if isinstance(entry.source, Bundled):
        return "bundled"
    if folders.installed(models_dir, entry.name):
        return "installed"
    return "incomplete" if entry in _fetched(models_dir) else "not installed"


def _fetched(models_dir: Path) -> list[Entry]:
    """The models that were downloaded, completely or in part."""
    return [
        entry
        for entry in catalogue.entries()
        if (models_dir / entry.name).is_dir() or (models_dir / f"{entry.name}{PART}").is_dir()
    ]


def _entries(names: list[str]) -> list[Entry]:
    return [_entry(name) for name in names]


def _entry(name: str) -> Entry:
    if entry := catalogue.find(name):
        return entry
    near = get_close_matches(name, [entry.name for entry in catalogue.entries()])
    hint = f"did you mean {' or '.join(near)}?" if near else "see `etbgm models list`"
    raise InvalidField("name", f"unknown model {name}; {hint}")
