"""Console output. Shows an error as one clear line and an exit status."""

import asyncio
import signal
from collections.abc import Container, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import typer

from etbgm_cli.child import StackError
from etbgm_cli.plain import PlainConsole, labelled
from etbgm_cli.weights.errors import WeightsError
from etbgm_client import ApiError
from etbgm_client.results import UnsafeName
from etbgm_kit.errors import EtbgmError, InvalidField, NotFound
from etbgm_kit.models.catalogue import BadCatalogue

console = PlainConsole()
errors = PlainConsole(stderr=True)

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_SIGNAL = 128
"""Plus the number of the signal that ended the work, as in shells: 130 for Ctrl-C."""

EXPECTED = (EtbgmError, ApiError, StackError, WeightsError, BadCatalogue, UnsafeName, OSError)
"""Errors that are shown as one line; all others are mistakes of the program."""


class _Stopped(BaseException):
    """A signal asked the command to end; the counterpart of KeyboardInterrupt for other signals."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def print_notes(notes: Iterable[str], warnings: Container[str]) -> None:
    """Prints the notes on a result, and labels those in `warnings` as warnings."""
    for note in notes:
        label, style = ("warning: ", "yellow") if note in warnings else ("note: ", "")
        console.print(labelled(label, style, note))


def print_warning(text: str) -> None:
    """Prints a warning to standard error."""
    errors.print(labelled("warning: ", "yellow", text))


def guarded(work: Coroutine[None, None, None]) -> None:
    """Runs `work` and shows its errors. A signal that asks the command to end first cancels `work`."""
    with showing_errors():
        asyncio.run(_cancelled_by_signals(work))


async def _cancelled_by_signals(work: Coroutine[None, None, None]) -> None:
    """Handles SIGTERM and SIGHUP as asyncio.run handles Ctrl-C."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    received: list[int] = []

    def stop(number: int) -> None:
        if not received:
            task.cancel()
        received.append(number)

    for number in _stopping_signals():
        loop.add_signal_handler(number, stop, number)
    try:
        await work
    except asyncio.CancelledError:
        if received:
            raise _Stopped(received[0]) from None
        raise


def _stopping_signals() -> list[signal.Signals]:
    """Signals other than Ctrl-C that end the command, without those that are ignored, as under nohup."""
    asked = signal.SIGTERM, signal.SIGHUP
    return [number for number in asked if signal.getsignal(number) is not signal.SIG_IGN]


def _stop(number: int, _frame: object) -> NoReturn:
    raise _Stopped(number)


@contextmanager
def showing_errors() -> Iterator[None]:
    """Shows errors raised in the context; exits with 2 for bad input, 128 + N for signal N, otherwise 1."""
    for number in _stopping_signals():
        signal.signal(number, _stop)
    try:
        yield
    except EXPECTED as error:
        raise typer.Exit(print_error(error)) from None
    except KeyboardInterrupt:
        _end_cancelled(signal.SIGINT)
    except _Stopped as stopped:
        _end_cancelled(stopped.number)


def _end_cancelled(signal_number: int) -> NoReturn:
    with suppress(OSError):  # after SIGHUP there may be no terminal
        errors.print("cancelled")
    raise typer.Exit(EXIT_SIGNAL + signal_number) from None


def print_error(error: Exception, about: str = "") -> int:
    """Prints one of EXPECTED, with `about` before it, and returns the exit status that it stands for."""
    if isinstance(error, ApiError):
        message, is_bad_input = _sentence(error), error.code in ("INVALID_ARGUMENT", "NOT_FOUND")
    else:
        message, is_bad_input = str(error), isinstance(error, InvalidField | NotFound)
    errors.print(labelled("error: ", "red", about + message))
    return EXIT_BAD_INPUT if is_bad_input else EXIT_FAILED


def _sentence(error: ApiError) -> str:
    """The fields and reasons if the error has them, otherwise its message."""
    return "; ".join(f"{field}: {why}" for field, why in error.fields.items()) or str(error)
