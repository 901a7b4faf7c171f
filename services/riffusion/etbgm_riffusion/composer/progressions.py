"""The chord loops of each style, as data.

A loop is four bars in number notation (`theory.Chord.parse`): one degree of the section's mode per bar.
Each style has loops of its own for each mode, so the same emotion and random seed give other chords in
another style. A section has one loop as its hook, which returns, and others between (`form`). Loops start
on the tonic and return to it by a step, a fourth or a fifth, as loops of film and popular music do (Tagg
2014, "Everyday Tonality", ch. 9-13; Biamonte 2010, "Triadic modal and pentatonic patterns in rock music").
"""

Loop = tuple[str, ...]

_WRITTEN: dict[str, dict[str, str]] = {
    "acoustic": {
        "lydian": "1 2 1 2, 1 5 2 1, 1 2 5 2, 1 1 2 5",
        "ionian": "1 4 1 5, 1 5 4 1, 1 4 5 4, 1 1 4 5",
        "mixolydian": "1 7 4 1, 1 4 7 4, 1 7 1 4, 1 1 7 4",
        "aeolian": "1 4 1 5M, 1 7 4 5M, 1 4 5M 1, 1 1 7 4",
    },
    "ambient": {
        "lydian": "1 1 2 2, 1 1 5 2, 1 2 2 1, 1 1 1 2",
        "ionian": "1 1 4 4, 1 1 4 1, 1 1 6 4, 1 4 4 1",
        "mixolydian": "1 1 7 7, 1 1 4 7, 1 7 7 1, 1 1 1 7",
        "aeolian": "1 1 6 1, 1 1 4 4, 1 6 1 1, 1 1 1 4",
    },
    "cinematic": {
        "lydian": "1 5 1 2, 1 2 3 2, 1 7 2 5, 1 2 6 5",
        "ionian": "1 6 4 5, 1 3 4 5, 1 5 6 4, 1 4 6 5",
        "mixolydian": "1 4 4 7, 1 7 6 7, 1 4 5 7, 1 7 5 4",
        "aeolian": "1 6 1 5M, 1 6 4 5M, 1 6 4 1, 1 6 7 1",
    },
    "electronic": {
        "lydian": "1 3 2 5, 1 2 7 5, 1 6 2 2, 1 5 5 2",
        "ionian": "1 5 2 4, 1 2 1 4, 1 3 4 4, 1 5 3 4",
        "mixolydian": "1 2 7 4, 1 7 2 4, 1 5 4 7, 1 2 4 7",
        "aeolian": "1 5 1 6, 1 5 6 1, 1 7 5 1, 1 5 1 7",
    },
    "jazz": {
        "lydian": "1 6 2 5, 1 2 5 1, 1 3 6 2, 1 5 6 2",
        "ionian": "1 6 2 5, 1 2 5 1, 1 3 2 5, 1 4 2 5",
        "mixolydian": "1 2 5 1, 1 4 2 7, 1 6 2 5, 1 5 2 7",
        "aeolian": "1 2 5M 1, 1 4 2 5M, 1 6 2 5M, 1 1 2 5M",
    },
    "lofi": {
        "lydian": "1 7 6 2, 1 3 2 1, 1 2 2 5, 1 6 5 2",
        "ionian": "1 3 4 1, 1 4 3 2, 1 6 5 4, 1 2 3 4",
        "mixolydian": "1 6 7 1, 1 4 2 1, 1 2 1 7, 1 6 4 7",
        "aeolian": "1 4 7 1, 1 1 4 5, 1 5 4 1, 1 4 1 3",
    },
    "orchestral": {
        "lydian": "1 6 5 2, 1 3 2 5, 1 5 7 2, 1 2 4 5",
        "ionian": "1 2 1 5, 1 4 2 5, 1 5 1 4, 1 6 2 5",
        "mixolydian": "1 4 7 1, 1 5 4 1, 1 7 5 1, 1 2 5 7",
        "aeolian": "1 5M 1 4, 1 6 5M 1, 1 4 6 5M, 1 2 1 5M",
    },
    "pop": {
        "lydian": "1 5 2 2, 1 2 6 2, 1 3 5 5, 1 5 6 5",
        "ionian": "1 5 6 4, 1 4 6 5, 1 5 4 4, 1 1 6 5",
        "mixolydian": "1 4 7 7, 1 7 4 4, 1 5 7 7, 1 4 1 7",
        "aeolian": "1 7 6 5M, 1 6 7 5M, 1 7 1 6, 1 4 6 1",
    },
}  # fmt: skip

LOOPS: dict[str, dict[str, tuple[Loop, ...]]] = {
    style: {mode: tuple(tuple(loop.split()) for loop in loops.split(",")) for mode, loops in modes.items()}
    for style, modes in _WRITTEN.items()
}
"""Loops by style and mode, each four bars long."""
