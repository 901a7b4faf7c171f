"""What the user sees, and how errors are told: one clear line and an exit status."""

import asyncio
from collections.abc import Container, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from rich.console import Console
from rich.markup import escape

from etbgm_gateway.cli.child import StackError
from etbgm_gateway.weights.errors import WeightsError
from etbgm_kit.catalogue import BadCatalogue
from etbgm_kit.errors import EtbgmError
from etbgm_kit.status import status_of

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2


class JobFailed(Exception):
    """A job ended without a result; `status` says why."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


def tell(notes: Iterable[str], warnings: Container[str]) -> None:
    """Prints the notes on a result; those among `warnings` as such."""
    for note in notes:
        label = "[yellow]warning:[/]" if note in warnings else "note:"
        console.print(f"{label} {escape(note)}")


def guarded(work: Coroutine[None, None, None]) -> None:
    """Runs `work`; tells its errors."""
    with telling():
        asyncio.run(work)


@contextmanager
def telling() -> Iterator[None]:
    """Tells the errors inside the context and exits with 2 for bad input, 1 for others, 130 for Ctrl-C."""
    try:
        yield
    except EtbgmError as error:
        _end(status_of(error))
    except JobFailed as error:
        _end(error.status)
    except (StackError, WeightsError, BadCatalogue, OSError) as error:
        errors.print(f"[red]error:[/] {escape(str(error))}")
        raise typer.Exit(EXIT_FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _end(status: Status) -> NoReturn:
    errors.print(f"[red]error:[/] {escape(_sentence(status))}")
    is_bad_input = status.code in (code_pb2.INVALID_ARGUMENT, code_pb2.NOT_FOUND)
    raise typer.Exit(EXIT_BAD_INPUT if is_bad_input else EXIT_FAILED) from None


def _sentence(status: Status) -> str:
    """The status's fields and reasons where it has them, else its message."""
    request = BadRequest()
    for detail in status.details:
        if detail.Unpack(request):
            return "; ".join(f"{v.field}: {v.description}" for v in request.field_violations)
    return str(status.message or code_pb2.Code.Name(status.code))
