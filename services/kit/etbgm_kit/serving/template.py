"""The process from which services of one machine are forked: `python -m etbgm_kit.serving.template SOCKET`.

It has imported what all services share, which saves a quarter to a third of the processor time of their
start, and 15 MB of each. It must have no other thread and start neither gRPC nor an event loop, so that what
is forked is as good as new.

A message on the socket is [module, {variable: value}] in JSON, with the descriptors of standard input and
of the log. The answers are [process, null] when it has been forked and [process, status] when it has ended;
a negative status is the signal that ended it. The template ends when the socket is closed.
"""

import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import NamedTuple

LARGEST_MESSAGE = 1 << 16
"""Bytes; more than the settings of a service ever take."""

_SHARED = (
    "numpy",
    "etbgm_kit.artifacts.memo",
    "etbgm_kit.converters",
    "etbgm_kit.models.catalogue",
    "etbgm_kit.serving.process",
)
"""These modules import the rest."""


class _Request(NamedTuple):
    """A process that was asked for."""

    module: str
    environment: dict[str, str]
    stdin: int
    log: int


def main() -> None:
    """Forks what is asked for; the process that is forked runs its module and ends with it."""
    for name in _SHARED:
        with suppress(ImportError):  # the service that needs it says so
            import_module(name)
    gc.freeze()
    request = None
    with socket.socket(fileno=int(sys.argv[1])) as requests, suppress(BrokenPipeError):
        request = _forked(requests)
    if request:
        _become(request)


def _forked(requests: socket.socket) -> _Request | None:
    """Returns its request in each forked process, and None in the template when the socket is closed.

    Raises BrokenPipeError if it is closed while the template answers.
    """
    with _children_ending() as ending, selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        selector.register(ending, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if ending in ready:
                os.read(ending, LARGEST_MESSAGE)
                for process in _ended():
                    requests.send(json.dumps(process).encode())
            if requests.fileno() not in ready:
                continue
            message, descriptors, _, _ = socket.recv_fds(requests, LARGEST_MESSAGE, 2)
            if not message:
                return None
            if (pid := os.fork()) == 0:
                return _Request(*json.loads(message), *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            requests.send(json.dumps([pid, None]).encode())


@contextmanager
def _children_ending() -> Iterator[int]:
    """Yields a descriptor that can be read when a child has ended."""
    ending, written = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(written)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield ending
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(ending)
        os.close(written)


def _ended() -> Iterator[tuple[int, int]]:
    """Yields the processes that have ended and their statuses."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found[0], os.waitstatus_to_exitcode(found[1])


def _become(request: _Request) -> None:
    """Runs the module as `python -m` does, in a session of its own."""
    os.setsid()
    for descriptor, own in ((request.stdin, 0), (request.log, 1), (request.log, 2)):
        os.dup2(descriptor, own)
    os.close(request.stdin)
    os.close(request.log)
    os.environ.update(request.environment)
    del sys.argv[1:]
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
