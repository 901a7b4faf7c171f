"""Runs one pocketsphinx decoder per process.

pocketsphinx holds the interpreter's lock while it decodes, so threads would use only one
core. The variables at module level are the state of such a process.
"""

import multiprocessing
import os
import re
import signal
import threading

from pocketsphinx import Decoder

from etbgm_kit.types import Span, Word

OPTIONS: dict[str, bool | float] = {"fwdflat": False, "maxhmmpf": 5000}
"""Measured (README): the second pass takes time without improving the result."""

FRAME_S = 0.01
_ALTERNATIVE = re.compile(r"\(\d+\)$")
_decoders: list[Decoder] = []


def start() -> None:
    """Loads the decoder of this process; the process ends with its parent."""
    # Ctrl-C reaches the whole process group, but the parent decides when its decoders end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _decoders.append(Decoder(loglevel="FATAL", **OPTIONS))


def ready() -> None:
    """Does nothing; it runs only once `start` has finished."""


def decode(pcm: bytes) -> list[Word]:
    """Returns the words in int16 samples at 16 kHz (at least one), timed from the first sample.

    Fillers (`<sil>`, `[NOISE]`) are omitted, and `(2)`, which marks the second
    pronunciation of a word, is removed.
    """
    decoder = _decoders[0]
    # Otherwise the running cepstral mean of earlier calls would change this result.
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
    # If their parent is killed, a pool's processes would wait for work forever.
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
