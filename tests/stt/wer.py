"""Word error rate on the real English speech of the test data.

usage: ETBGM_TEST_DATA=folder python -m tests.stt.wer   (prints the table of the README)
"""

import csv
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder

from etbgm_stt.audio import open_audio
from etbgm_stt.speech import find_speech

READ_ALOUD = "LJ0|OSR|jfk.flac|libri|arctic|vctk_.*_clean|sb_spk1|pv_test|riva"
"""Recordings whose transcripts are words, not figures."""

OPTIONS: dict[str, dict[str, bool | float]] = {
    "pocketsphinx' own": {},
    "fwdflat off": {"fwdflat": False},
    "fwdflat off, bestpath off": {"fwdflat": False, "bestpath": False},
    "fwdflat off, ds 2": {"fwdflat": False, "ds": 2},
    "fwdflat off, maxhmmpf 5000": {"fwdflat": False, "maxhmmpf": 5000},
    "fwdflat off, maxhmmpf 3000": {"fwdflat": False, "maxhmmpf": 3000},
    "fwdflat off, maxhmmpf 5000, lw 5.5": {"fwdflat": False, "maxhmmpf": 5000, "lw": 5.5},
    "fwdflat off, maxhmmpf 3000, lw 5.5": {"fwdflat": False, "maxhmmpf": 3000, "lw": 5.5},
}


def recordings(test_data: Path, names: str = READ_ALOUD) -> Iterator[tuple[Path, list[str]]]:
    """Each recording whose name begins as one of `names`, and what is spoken in it."""
    with (test_data / "MANIFEST.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if re.match(f"speech/en/({names})", row["path"]):
                spoken = re.sub(r"\[.*\]", "", row["transcript_or_label"])
                yield test_data / row["path"], words_of(spoken.replace("1455", "fourteen fifty five"))


def words_of(text: str) -> list[str]:
    """Lower case, without apostrophes and punctuation."""
    return re.sub(r"[^a-z ]", "", text.lower().replace("-", " ")).split()


def word_errors(spoken: list[str], recognised: list[str]) -> int:
    """Levenshtein distance in words."""
    row = list(range(len(recognised) + 1))
    for i, one in enumerate(spoken, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(recognised, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]


def main() -> None:
    """All options hear each piece in turn, so that the machine's load falls on all alike."""
    decoders = {name: Decoder(loglevel="FATAL", **options) for name, options in OPTIONS.items()}
    errors, cpu_s = dict.fromkeys(OPTIONS, 0), dict.fromkeys(OPTIONS, 0.0)
    words, duration_s = 0, 0.0
    for path, spoken in recordings(Path(os.environ["ETBGM_TEST_DATA"])):
        with open_audio(path) as audio:
            pieces = [piece for _, found in find_speech(audio.blocks()) for piece in found]
        words, duration_s = words + len(spoken), duration_s + audio.duration_s
        for name, decoder in decoders.items():
            recognised, begun_s = [], time.thread_time()
            for piece in pieces:
                decoder.reinit_feat()
                decoder.start_utt()
                decoder.process_raw((piece.samples * 32767).astype(np.int16).tobytes(), full_utt=True)
                decoder.end_utt()
                recognised += words_of(re.sub(r"\(\d+\)", "", decoder.hyp().hypstr if decoder.hyp() else ""))
            cpu_s[name] += time.thread_time() - begun_s
            errors[name] += word_errors(spoken, recognised)
    lines = [f"{words} words, {duration_s:.0f} s", "| options | WER | CPU s per s |", "|---|---|---|"]
    lines += [f"| {name} | {errors[name] / words:.3f} | {cpu_s[name] / duration_s:.3f} |" for name in OPTIONS]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
