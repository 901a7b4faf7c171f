"""The sounds of each style's bands, as data.

The random seed picks one of four bands, in the same order in every style: led by a keyboard, by plucked
strings, by strings and winds, and electric. Sounds are General MIDI programmes, 0 to 127; the columns are
the colours that emotions ask for (`profiles.Profile.colour`). Sixteen MIDI channels are not enough for all
roles in all colours, so some roles use one sound for several (`SEATS`).
"""

SEATS: dict[str, dict[str, int]] = {
    "lead": {"calm": 0, "bright": 1, "tense": 2, "heavy": 2},
    "counter": {"calm": 0, "bright": 1, "tense": 0, "heavy": 0},
    "keys": {"calm": 0, "bright": 1, "tense": 2, "heavy": 3},
    "pad": {"calm": 0, "bright": 1, "tense": 2, "heavy": 2},
    "bass": {"calm": 0, "bright": 0, "tense": 1, "heavy": 2},
}
"""For each pitched role, which of its sounds plays in each colour. Together with the drums, they use all
16 MIDI channels."""

ROLES = tuple(SEATS)

Sounds = tuple[int, ...]
Band = dict[str, Sounds]


def _band(*written: str) -> Band:
    """Reads one band: the sounds of lead, counter, keys, pad and bass."""
    rows = (tuple(map(int, row.split())) for row in written)
    return dict(zip(ROLES, rows, strict=True))


BANDS: dict[str, tuple[Band, ...]] = {
    "acoustic": (
        _band("71 73 69", "42 71", "0 0 0 29", "49 49 48", "32 32 33"),
        _band("73 74 41", "42 68", "24 25 25 30", "49 49 44", "32 32 34"),
        _band("40 110 42", "71 73", "46 24 45 29", "48 48 44", "43 43 34"),
        _band("22 26 22", "73 27", "27 105 26 30", "20 21 20", "33 33 34"),
    ),
    "ambient": (
        _band("0 11 53", "52 88", "4 8 4 87", "89 88 92", "39 39 38"),
        _band("24 46 77", "91 52", "46 108 46 30", "89 94 92", "32 39 38"),
        _band("79 73 68", "94 52", "88 99 92 30", "91 52 95", "43 43 38"),
        _band("80 90 81", "88 90", "98 5 98 87", "90 50 93", "38 38 38"),
    ),
    "cinematic": (
        _band("71 73 42", "60 60", "0 0 0 30", "48 49 44", "42 43 43"),
        _band("24 46 41", "42 73", "46 45 45 30", "49 48 44", "43 43 43"),
        _band("60 40 69", "70 71", "45 46 45 0", "48 48 44", "43 43 58"),
        _band("88 80 53", "60 52", "99 4 98 30", "52 50 95", "39 38 38"),
    ),
    "electronic": (
        _band("4 81 81", "82 80", "5 4 87 87", "89 90 95", "38 39 38"),
        _band("27 80 84", "80 82", "46 107 28 30", "89 50 93", "38 38 39"),
        _band("75 73 85", "52 53", "11 12 92 30", "91 52 92", "39 39 38"),
        _band("80 84 81", "88 81", "90 81 87 84", "90 62 95", "38 38 38"),
    ),
    "jazz": (
        _band("11 66 56", "26 11", "0 0 0 16", "26 26 16", "32 32 32"),
        _band("26 26 11", "71 11", "26 24 26 29", "11 16 16", "32 32 33"),
        _band("66 56 71", "60 65", "0 11 0 18", "49 61 44", "32 32 43"),
        _band("4 65 59", "11 4", "4 16 17 18", "16 5 16", "33 35 33"),
    ),
    "lofi": (
        _band("11 0 75", "75 11", "4 0 4 87", "89 52 91", "33 33 35"),
        _band("26 24 26", "11 73", "24 27 26 29", "89 50 92", "32 32 34"),
        _band("71 73 59", "42 66", "11 4 11 29", "49 52 91", "32 32 35"),
        _band("80 5 82", "11 4", "5 4 8 84", "90 89 95", "38 38 38"),
    ),
    "orchestral": (
        _band("40 73 56", "70 68", "0 0 0 0", "48 48 44", "43 43 43"),
        _band("71 40 41", "42 73", "46 45 45 30", "48 49 44", "43 43 58"),
        _band("68 56 69", "71 60", "45 46 45 0", "49 48 44", "70 43 58"),
        _band("60 61 57", "42 40", "19 6 48 30", "52 61 44", "43 43 58"),
    ),
    "pop": (
        _band("26 73 29", "71 61", "0 0 2 29", "50 50 50", "33 33 34"),
        _band("25 80 29", "42 61", "24 25 27 30", "49 50 50", "33 33 34"),
        _band("65 56 29", "71 73", "4 11 4 29", "48 61 44", "32 36 34"),
        _band("81 80 84", "89 90", "5 90 87 30", "89 90 95", "38 38 38"),
    ),
}  # fmt: skip
"""Four bands for each style."""

ENSEMBLES: dict[str, Band] = {
    "bells": {"lead": (10, 9, 14)},
    "brass": {"lead": (57, 56, 57), "pad": (61, 61, 61)},
    "cello": {"lead": (42, 42, 42)},
    "choir": {"pad": (52, 52, 53)},
    "clarinet": {"lead": (71, 71, 71)},
    "electric guitar": {"lead": (26, 27, 29), "keys": (26, 27, 28, 30)},
    "electric piano": {"lead": (4, 5, 4), "keys": (4, 5, 4, 4)},
    "flute": {"lead": (73, 73, 73)},
    "guitar": {"lead": (24, 25, 24), "keys": (24, 25, 24, 25)},
    "harp": {"keys": (46, 46, 46, 46)},
    "horn": {"lead": (60, 60, 60)},
    "mallets": {"keys": (11, 12, 12, 12)},
    "oboe": {"lead": (68, 68, 68)},
    "organ": {"keys": (19, 16, 18, 18), "pad": (19, 16, 18)},
    "piano": {"lead": (0, 0, 0), "keys": (0, 0, 0, 0)},
    "saxophone": {"lead": (66, 65, 67)},
    "strings": {"lead": (40, 40, 40), "counter": (42, 42), "pad": (48, 49, 44)},
    "synth": {"lead": (80, 81, 81), "keys": (4, 90, 87, 87), "pad": (89, 90, 95)},
    "violin": {"lead": (40, 40, 40)},
}
"""Sounds that a requested family of instruments (`hints.FAMILIES`) sets for each role."""
