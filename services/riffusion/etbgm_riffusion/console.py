"""What the commands of `etbgm-riffusion` share: progress bars, tables, errors in one line."""

import errno
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

console = Console(soft_wrap=True)
_WIDE = 200

error_console = Console(stderr=True, soft_wrap=True)


@contextmanager
def told() -> Iterator[None]:
    """Shows the reason for a failure in one line, and how to continue after Ctrl-C."""
    try:
        yield
    except ImportError as error:
        typer.echo(
            f"{error.name} is not installed: pip install 'etbgm-riffusion[diffusion,training]'", err=True
        )
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command continues where it stopped.", err=True)
        raise typer.Exit(130) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = ". The same command continues when there is room." if error.errno == errno.ENOSPC else ""
        typer.echo(f"{where}{error.strerror or error}{hint}", err=True)
        raise typer.Exit(1) from error
    except (RuntimeError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def progress_bar() -> Progress:
    """Returns a progress bar on standard error; it is silent if that is no terminal."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=error_console,
        disable=not sys.stderr.isatty(),
    )


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Prints one line for each fact."""
    table = Table(title=title, show_header=False)
    for name, value in facts.items():
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    # Paths stay whole where output goes to a file or a pipe.
    console.print(table, crop=False, width=None if console.is_terminal else _WIDE)
