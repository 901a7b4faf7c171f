"""What the user sees, and how errors are shown: one clear line and an exit status."""

import asyncio
from collections.abc import Container, Coroutine, Iterable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from etbgm_cli.child import StackError
from etbgm_cli.weights.errors import WeightsError
from etbgm_client import ApiError
from etbgm_client.results import UnsafeName
from etbgm_kit.errors import EtbgmError, InvalidField, NotFound
from etbgm_kit.models.catalogue import BadCatalogue

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_CANCELLED = 130
"""128 + SIGINT, as shells have it."""


def print_notes(notes: Iterable[str], warnings: Container[str]) -> None:
    """Prints the notes on a result; those among `warnings` as such."""
    for note in notes:
        label = "[yellow]warning:[/]" if note in warnings else "note:"
        console.print(f"{label} {escape(note)}")


def print_warning(text: str) -> None:
    """Prints a warning beside the output."""
    errors.print(f"[yellow]warning:[/] {escape(text)}")


def guarded(work: Coroutine[None, None, None]) -> None:
    """Runs `work` and shows its errors."""
    with showing_errors():
        asyncio.run(work)


@contextmanager
def showing_errors() -> Iterator[None]:
    """Shows errors inside the context; exits with 2 for bad input, 1 for others, 130 for Ctrl-C."""
    try:
        yield
    except (InvalidField, NotFound) as error:
        _end(str(error), EXIT_BAD_INPUT)
    except ApiError as error:
        is_bad_input = error.code in ("INVALID_ARGUMENT", "NOT_FOUND")
        _end(_sentence(error), EXIT_BAD_INPUT if is_bad_input else EXIT_FAILED)
    except (EtbgmError, StackError, WeightsError, BadCatalogue, UnsafeName, OSError) as error:
        _end(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        errors.print("cancelled")
        raise typer.Exit(EXIT_CANCELLED) from None


def _end(message: str, exit_status: int) -> None:
    errors.print(f"[red]error:[/] {escape(message)}")
    raise typer.Exit(exit_status) from None


def _sentence(error: ApiError) -> str:
    """The fields and reasons where the error has them, else its message."""
    return "; ".join(f"{field}: {why}" for field, why in error.fields.items()) or str(error)
