"""One pocketsphinx decoder in one process.

pocketsphinx holds the interpreter's lock while it decodes, so threads would use one
core. What lies at module level here is the state of such a process.
"""

import multiprocessing
import os
import re
import signal
import threading

from pocketsphinx import Decoder

from etbgm_kit.types import Span, Word

OPTIONS: dict[str, bool | float] = {"fwdflat": False, "maxhmmpf": 5000}
"""Measured (README): the second pass costs time and gains nothing."""

FRAME_S = 0.01
_ALTERNATIVE = re.compile(r"\(\d+\)$")
_decoders: list[Decoder] = []


def start() -> None:
    """Loads the decoder of this process, which ends with its parent."""
    # Ctrl-C reaches the whole group; the parent decides when its decoders end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _decoders.append(Decoder(loglevel="FATAL", **OPTIONS))


def ready() -> None:
    """Does nothing; its end says that `start` is done."""


def decode(pcm: bytes) -> list[Word]:
    """The words in int16 samples at 16 kHz, at least one; times from the first of them.

    Fillers (`<sil>`, `[NOISE]`) are left out, and `(2)`, which marks the second
    pronunciation of a word, is removed.
    """
    decoder = _decoders[0]
    # Else the running cepstral mean of earlier calls would change this one's result.
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    return [
        Word(
            Span(found.start_frame * FRAME_S, (found.end_frame + 1) * FRAME_S),
            _ALTERNATIVE.sub("", found.word),
            min(1.0, found.prob),
        )
        for found in decoder.seg() or ()
        if found.word[0] not in "<["
    ]


def _die_with_parent() -> None:
    # A pool's processes wait for work for ever when their parent is killed.
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
