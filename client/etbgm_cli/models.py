"""`etbgm models`: lists, downloads and verifies model weights and SoundFonts."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from etbgm_cli.console import EXIT_FAILED, console, print_warning, showing_errors
from etbgm_cli.plain import printable
from etbgm_cli.weights import record
from etbgm_cli.weights.record import PART
from etbgm_kit.errors import InvalidField
from etbgm_kit.models import catalogue, folders
from etbgm_kit.models.catalogue import Bundled, Entry, Folder, Mirror, Source
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
    given: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Take the files, or the parts or wheels that contain them, from FOLDER/NAME or FOLDER; "
            "use no network.",
        ),
    ] = None,
) -> None:
    """Download models and convert them where needed. An interrupted download is resumed.

    A model may have several sources; the first one that delivers the right files is used.
    """
    with showing_errors():
        for entry in _not_bundled(_entries(names)):
            _pull(entry, models_dir, given)


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
            for line in faults or [_intact(models_dir / entry.name)]:
                console.print(f"{entry.name}: {line}")
    if bad:
        console.print("Run `etbgm models pull NAME` to repair a model.")
        raise typer.Exit(EXIT_FAILED)


class _Shown:
    """Shows an installation: a line for each source, and a progress bar on a terminal."""

    def __init__(self, entry: Entry, progress: Progress) -> None:
        self._entry, self._progress = entry, progress
        self._bar = progress.add_task(entry.name, total=None, visible=False)

    def trying(self, source: Source | Mirror) -> None:
        """Prints the source."""
        then = "; it is converted afterwards" if self._entry.convert else ""
        done = "Copying" if isinstance(source, Folder) else "Downloading"
        console.print(f"{done} {self._entry.name} from {source}{then}")

    def failed(self, why: str) -> None:
        """Prints the reason as a warning."""
        print_warning(f"{why}; trying the next source")

    def unchecked(self, files: Sequence[str]) -> None:
        """Prints the files as a warning."""
        print_warning(f"not verified, because no SHA-256 is known: {', '.join(files)}")

    def progress(self, done: int, total: int) -> None:
        """Moves the bar."""
        self._progress.update(self._bar, completed=min(done, total), total=total, visible=True)


def _pull(entry: Entry, models_dir: Path, given: Path | None) -> None:
    from etbgm_cli.weights.install import install

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        folder = install(entry, models_dir, _Shown(entry, progress), given)
    console.print(f"Installed {entry.name} in {folder}. Licence {entry.licence}: {entry.permitted}")


def _not_bundled(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yields the entries that can be downloaded; for every other one, prints which package contains it."""
    for entry in entries:
        if isinstance(entry.source, Bundled):
            console.print(f"{entry.name} is part of {entry.source}; no download is needed.")
        else:
            yield entry


def _intact(folder: Path) -> str:
    source = record.read(folder).fetched_from
    return f"all files are intact (from {source})" if source else "all files are intact"


def _row(entry: Entry, models_dir: Path) -> tuple[str, ...]:
    size = decimal(entry.size_bytes) if entry.size_bytes else "?"
    commercial_use = {True: "yes", False: "no", None: "unknown"}[entry.commercial_use]
    row = (entry.name, entry.engine, size, entry.licence, commercial_use, _state(entry, models_dir))
    return tuple(map(printable, row))


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
