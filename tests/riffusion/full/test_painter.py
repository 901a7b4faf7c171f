"""Canvases carry the composer's music to the denoiser, and its answer back into sound."""

from collections.abc import Callable

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.diffusion.cues import PARAMS, Cues
from etbgm_riffusion.diffusion.grid import Place, joined
from etbgm_riffusion.diffusion.painter import Painter
from etbgm_riffusion.diffusion.prompts import load
from etbgm_riffusion.diffusion.types import Canvas, Continuity, OnSteps, Pixels, Progress
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.types import CueRequest, DiffusionSettings, Piece
from tests.riffusion.conftest import MakePiece

RATE = 44100

Paint = Callable[[Pixels], Pixels]


class FakeDenoiser:
    """Remembers the canvases and paints over them by a rule."""

    def __init__(self, paint: Paint) -> None:
        self._paint = paint
        self.canvases: list[Canvas] = []

    def denoise(self, canvas: Canvas, on_progress: OnSteps) -> Pixels:
        self.canvases.append(canvas)
        on_progress(Progress(0.5, 1, 2, 1))
        return self._paint(canvas.pixels)


def nothing(share: float) -> None:
    """Hears of progress."""


def kept(pixels: Pixels) -> Pixels:
    return pixels


def speckled(pixels: Pixels) -> Pixels:
    """As if denoised a little: every pixel off by a tenth of the scale or so."""
    return np.clip(pixels + np.random.default_rng(1).normal(0, 0.2, pixels.shape).astype(np.float32), -1, 1)


def replaced(pixels: Pixels) -> Pixels:
    """As if the seed spectrogram was ignored: another time runs backwards."""
    return np.ascontiguousarray(pixels[:, :, ::-1])


@pytest.fixture(scope="module")
def composer() -> ComposerEngine:
    composer = ComposerEngine(None)
    composer.load()
    return composer


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(PARAMS)


@pytest.fixture(scope="module")
def piece(make_piece: MakePiece) -> Piece:
    return make_piece(0, 1.5, 3, emotions=(Emotion.JOY, Emotion.SADNESS), style="pop", random_seed=3)


def painted(
    composer: ComposerEngine, codec: Codec, denoiser: FakeDenoiser, piece: Piece, **settings: object
) -> NDArray[np.float32]:
    cues = Cues(Painter(composer, load(None), denoiser, codec), 1)
    request = CueRequest(piece, Span(0, piece.timeline.duration_s), RATE)
    wished = DiffusionSettings(**settings)  # type: ignore[arg-type]
    return np.concatenate([parts[0] for parts in cues.sound(request, wished, "", nothing)])


def composed(composer: ComposerEngine, piece: Piece) -> NDArray[np.float32]:
    cue = Span(0, piece.timeline.duration_s)
    sound = composer.sound(composer.compose(piece), cue, RATE, nothing)
    return np.concatenate([parts[0] for parts in sound])


def alike(new: NDArray[np.float32], old: NDArray[np.float32]) -> tuple[float, float]:
    """Correlations of the onset strengths and of the chromas of two sounds."""
    curves = []
    for sound in (new, old):
        mono = sound.mean(axis=1)
        chroma = librosa.feature.chroma_stft(y=mono, sr=RATE, tuning=0.0)
        curves.append((librosa.onset.onset_strength(y=mono, sr=RATE), chroma))
    (onsets, chroma), (old_onsets, old_chroma) = curves
    return (
        float(np.corrcoef(onsets, old_onsets)[0, 1]),
        float(np.corrcoef(chroma.ravel(), old_chroma.ravel())[0, 1]),
    )


def test_a_canvas_that_is_kept_sounds_like_the_composer(
    composer: ComposerEngine, codec: Codec, piece: Piece
) -> None:
    new, old = painted(composer, codec, FakeDenoiser(kept), piece), composed(composer, piece)
    assert new.shape == old.shape == (3 * RATE, 2)
    inner = slice(RATE // 10, RATE * 3 // 2)  # without the fades of beginning and end, which count twice
    error = (new - old)[inner].std() / old[inner].std()
    assert 20 * np.log10(error) < -25


def test_a_canvas_that_changed_a_little_keeps_rhythm_and_harmony(
    composer: ComposerEngine, codec: Codec, piece: Piece
) -> None:
    old = composed(composer, piece)
    rhythm, harmony = alike(painted(composer, codec, FakeDenoiser(speckled), piece), old)
    assert (rhythm, harmony) > (0.8, 0.8)
    rhythm, harmony = alike(painted(composer, codec, FakeDenoiser(replaced), piece), old)
    assert max(rhythm, harmony) < 0.5


def test_the_canvas_says_what_is_wanted(composer: ComposerEngine, codec: Codec, piece: Piece) -> None:
    denoiser = FakeDenoiser(kept)
    wanted = {
        "denoising_strength": 0.3,
        "guidance_scale": 4.0,
        "steps": 11,
        "continuity": Continuity.INTERPOLATE,
        "alpha": 0.7,
        "adapters": (("tape", 0.5),),
    }
    painted(composer, codec, denoiser, piece, **wanted)
    (canvas,) = denoiser.canvases
    assert {name: getattr(canvas, name) for name in wanted} == wanted
    assert (canvas.random_seed, canvas.position, canvas.width) == (3, 0, 320)
    joy, sadness = canvas.prompts
    assert (joy.start, joy.end, sadness.start, sadness.end) == (0, 150, 150, 320)
    assert joy.prompt.startswith("pop band, cheerful")
    assert sadness.prompt.startswith("pop band, slow melancholic")
    assert "sad" in joy.negative_prompt


def test_a_hint_names_instruments_and_takes_drums_away(
    composer: ComposerEngine, codec: Codec, make_piece: MakePiece
) -> None:
    denoiser = FakeDenoiser(kept)
    painted(composer, codec, denoiser, make_piece(0, 1, style="calm jazz with flute, no drums"))
    (span,) = denoiser.canvases[0].prompts
    assert span.prompt.startswith("jazz trio, flute, ")
    assert span.negative_prompt.startswith("drums, percussion, ")


def test_canvases_of_one_moment_are_alike_and_fade_into_each_other_level(
    composer: ComposerEngine, codec: Codec, make_piece: MakePiece
) -> None:
    denoiser = FakeDenoiser(speckled)
    painter = Painter(composer, load(None), denoiser, codec)
    piece, column = make_piece(0, 5.12, style="ambient"), RATE // 100
    places = Place(0, 320), Place(192, 320)
    sounds = {place: painter.sound(piece, place, DiffusionSettings(), nothing) for place in places}
    left, right = denoiser.canvases
    inner = slice(10, 118)  # at its ends a canvas is mirrored
    difference = left.pixels[:, :, 192:][:, :, inner] - right.pixels[:, :, :128][:, :, inner]
    assert np.abs(difference).max() <= 2 / 127.5
    blocks = joined(places, sounds.__getitem__, 0, 512 * column, RATE)
    sound = np.concatenate([block[0] for block in blocks])
    shared = slice(192 * column, 320 * column)
    lone = [sounds[places[0]][shared], sounds[places[1]][: 128 * column]]
    level = 20 * np.log10(sound[shared].std() / np.mean([part.std() for part in lone]))
    assert level == pytest.approx(0, abs=0.5)


def test_too_much_is_held_below_full_scale(composer: ComposerEngine, codec: Codec, piece: Piece) -> None:
    louder = painted(composer, codec, FakeDenoiser(lambda pixels: np.clip(pixels - 0.5, -1, 1)), piece)
    assert 0.3 < np.abs(louder).max() < 0.52  # saturation approaches 0.4, and the limiter ends at 0.52
