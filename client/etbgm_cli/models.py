"""`etbgm models`: what weights and sounds there are, and those that are fetched."""

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
    no_args_is_help=True, help="Fetch weights for better engines; see what their licences allow."
)

ModelsDir = Annotated[
    Path,
    typer.Option(
        "--models-dir",
        envvar="ETBGM_MODELS_DIR",
        default_factory=default_models_dir,
        show_default="in the user's data folder",
        help="Where models are installed.",
    ),
]
COLUMNS = ("name", "engine", "size", "licence", "commercial use", "here")
WIDTH = 100


@app.command("list")
def list_models(models_dir: ModelsDir) -> None:
    """List all weights and sounds: size, licence, whether results may be sold, and what is installed."""
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
    # A narrow terminal breaks long lines itself, and nothing is cut off.
    console.print(table, width=max(console.width, WIDTH), crop=False)
    console.print(f"Installed models are in {models_dir}")


@app.command()
def pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names that `list` gives.")],
    models_dir: ModelsDir,
) -> None:
    """Fetch models, and convert those that need it. What an interrupted pull has fetched is kept."""
    with showing_errors():
        for entry in _not_bundled(_entries(names)):
            _pull(entry, models_dir)


@app.command()
def verify(
    models_dir: ModelsDir,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="All that were fetched when absent.")
    ] = None,
) -> None:
    """Check that the files of installed models are as they were fetched."""
    with showing_errors():
        bad = False
        if not names and not _fetched(models_dir):
            console.print(f"no models are installed in {models_dir}")
        for entry in _not_bundled(_entries(names or []) or _fetched(models_dir)):
            faults = record.faults(models_dir / entry.name)
            bad |= bool(faults)
            for line in faults or ["all files are as they were fetched"]:
                console.print(f"{entry.name}: {line}")
    if bad:
        console.print("`etbgm models pull` fetches again what is not as it should be")
        raise typer.Exit(EXIT_FAILED)


def _pull(entry: Entry, models_dir: Path) -> None:
    from etbgm_cli.weights.install import install

    then = ", then converted" if entry.convert else ""
    console.print(f"{entry.name}: from {entry.source}{then}")
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(entry.name, total=None)
        folder = install(
            entry, models_dir, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    console.print(f"{entry.name} is in {folder}; licence {entry.licence}: {entry.permitted}")


def _not_bundled(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Those that are fetched; of the others the user is told where they come from."""
    for entry in entries:
        if isinstance(entry.source, Bundled):
            console.print(f"{entry.name} comes with {entry.source}; there is nothing to fetch")
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
    return "in part" if entry in _fetched(models_dir) else "no"


def _fetched(models_dir: Path) -> list[Entry]:
    """The models that were fetched, to the end or not."""
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
    hint = f"did you mean {' or '.join(near)}?" if near else "`etbgm models list` names them"
    raise InvalidField("name", f"there is no model {name}; {hint}")
