"""How each emotion sounds: mode, tempo, the literature's directions, and whether they can be told apart."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.dataset.features import heard
from etbgm_riffusion.types import Piece
from tests.riffusion.bench.pieces import RATE_HZ, sound_of
from tests.riffusion.bench.table import Claim, share

MAJOR = ("lydian", "ionian", "mixolydian")
TEMPO_TOLERANCE = 0.03

SIDES: dict[Emotion, dict[str, int]] = {
    Emotion.ANGER: {"onset rate": 1, "loudness": 1, "centroid": 1, "mode": -1, "roughness": 1},
    Emotion.DISGUST: {"onset rate": -1, "register": -1, "mode": -1, "roughness": 1},
    Emotion.FEAR: {"onset rate": 1, "loudness": -1, "register": 1, "mode": -1, "roughness": 1},
    Emotion.JOY: {"onset rate": 1, "loudness": 1, "centroid": 1, "register": 1},
    Emotion.SADNESS: {"onset rate": -1, "loudness": -1, "centroid": -1, "register": -1, "mode": -1},
    Emotion.SURPRISE: {"onset rate": 1, "centroid": 1, "register": 1},
}
"""More (1) or less (-1) than neutral music. Tempo and articulation (heard as onset rate), level,
high-frequency energy and pitch level of anger, fear, joy and sadness: Juslin & Laukka (2003),
table 11; joy's bright timbre: Juslin (2001), "Communicating emotion in music performance".
Mode and dissonance, and what is known of disgust and surprise: Gabrielsson & Lindström (2010),
tables 14.1 and 14.2; disgust's low register is our own reading of its place on the plane.
Neutral music is in major too, so joy's mode is measured by itself."""

OPEN_SIDES: dict[Emotion, dict[str, int]] = {
    Emotion.ANGER: {"register": 1},
    Emotion.DISGUST: {"centroid": 1},
    Emotion.FEAR: {"centroid": -1},
    Emotion.JOY: {"roughness": -1},
    Emotion.SADNESS: {"roughness": 1},
}
"""What the reviews name besides and the composer does not set out to do: shown, not claimed."""


@dataclass(frozen=True)
class Measured:
    """A piece of one emotion and what was heard in it."""

    piece: Piece
    tempo_bpm: float
    major: bool
    heard: dict[str, float]

    @property
    def emotion(self) -> Emotion:
        """The piece's."""
        return self.piece.timeline.spans[0].emotion

    def __str__(self) -> str:
        mode = "major" if self.major else "minor"
        return (
            f"{self.emotion} {self.piece.style} {self.piece.random_seed} ({self.tempo_bpm:.1f} bpm, {mode})"
        )


def measure(piece: Piece) -> Measured:
    """Composes, renders and hears a piece of one emotion."""
    score = compose(piece)
    section = score.sections[0]
    return Measured(piece, section.tempo_bpm, section.key.mode in MAJOR, heard(sound_of(score)[0], RATE_HZ))


def claims(measured: Sequence[Measured]) -> list[Claim]:
    """All that is claimed of the emotions."""
    return [
        _mode(measured),
        _tempo(measured),
        *_sides(measured),
        *_open_sides(measured),
        _told_apart(measured),
        *_even(measured),
    ]


def _mode(measured: Sequence[Measured]) -> Claim:
    wrong = [str(m) for m in measured if m.major == bool(m.heard["minor"])]
    return share("mode family as planned (Krumhansl–Schmuckler)", len(measured), wrong, 0.9)


def _tempo(measured: Sequence[Measured]) -> Claim:
    pulsing = [m for m in measured if STYLES[m.piece.style].pulse]
    wrong = [f"{m}: heard {m.heard['tempo']:.1f}" for m in pulsing if not _same_tempo(m)]
    return share("tempo as planned, its double or half, within 3 %", len(pulsing), wrong, 0.9)


def _same_tempo(measured: Measured) -> bool:
    ratio = measured.heard["tempo"] / measured.tempo_bpm
    return any(abs(ratio / octave - 1) <= TEMPO_TOLERANCE for octave in (0.5, 1, 2))


def _sides(measured: Sequence[Measured]) -> list[Claim]:
    found = [share(name, total, wrong, 0.95) for name, total, wrong in _against_neutral(measured, SIDES)]
    joyful = [m for m in measured if m.emotion == Emotion.JOY]
    minor = [str(m) for m in joyful if m.heard["mode"] <= 0]
    return [*found, share("joy: a major key fits better than any minor", len(joyful), minor, 0.95)]


def _open_sides(measured: Sequence[Measured]) -> list[Claim]:
    return [
        Claim(f"… {name}, not claimed", 1 - len(wrong) / max(1, total), "for comparison, %", True, wrong)
        for name, total, wrong in _against_neutral(measured, OPEN_SIDES)
    ]


def _against_neutral(
    measured: Sequence[Measured], table: dict[Emotion, dict[str, int]]
) -> Iterator[tuple[str, int, list[str]]]:
    """What is asked, of how many pieces, and those that lie on the other side."""
    neutral = {_place(m): m.heard for m in measured if m.emotion == Emotion.NEUTRAL}
    for emotion, sides in table.items():
        own = [m for m in measured if m.emotion == emotion]
        for feature, side in sides.items():
            wrong = [
                f"{m}: {m.heard[feature]:.3g} against {neutral[_place(m)][feature]:.3g}"
                for m in own
                if side * (m.heard[feature] - neutral[_place(m)][feature]) <= 0
            ]
            yield f"{emotion}: {feature} {'above' if side > 0 else 'below'} neutral", len(own), wrong


def _place(measured: Measured) -> tuple[str, int]:
    return measured.piece.style, measured.piece.random_seed


def _told_apart(measured: Sequence[Measured]) -> Claim:
    """Logistic regression; a piece is judged by models that know neither its style nor its random seed."""
    names = [name for name in measured[0].heard if name not in ("key", "minor")]
    values = np.array([[m.heard[name] for name in names] for m in measured])
    emotions = np.array([m.emotion.value for m in measured])
    styles = np.array([m.piece.style for m in measured])
    seeds = np.array([m.piece.random_seed for m in measured])
    wrong = []
    for style in sorted(set(styles)):
        tested = styles == style
        known = ~tested & ~np.isin(seeds, seeds[tested])
        if len(set(emotions[known])) < len(Emotion):
            known = ~tested
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=3000))
        guesses = model.fit(values[known], emotions[known]).predict(values[tested])
        pairs = zip(itertools.compress(measured, tested), guesses, strict=True)
        wrong += [f"{m} taken for {guess}" for m, guess in pairs if guess != m.emotion.value]
    return share("emotion told from the sound (7 classes, unknown style)", len(measured), wrong, 0.85)


def _even(measured: Sequence[Measured]) -> Iterator[Claim]:
    """How far the groups' mean loudness lies apart, before mixing."""
    grouped: dict[str, dict[str, list[float]]] = {
        "emotions": {m.emotion.value: [] for m in measured},
        "styles": {m.piece.style: [] for m in measured},
    }
    for m in measured:
        grouped["emotions"][m.emotion.value].append(m.heard["loudness"])
        grouped["styles"][m.piece.style].append(m.heard["loudness"])
    for groups, members in grouped.items():
        means = {name: float(np.mean(values)) for name, values in sorted(members.items())}
        spread = max(means.values()) - min(means.values())
        detail = [f"{name} {lufs:.1f} LUFS" for name, lufs in means.items()]
        yield Claim(f"loudness of the {groups} apart", spread, "≤ 3 LU", spread <= 3.0, detail)
