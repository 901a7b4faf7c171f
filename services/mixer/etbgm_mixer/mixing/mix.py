"""Mixes speech and music block by block: measures, balances, sums and limits them."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etbgm_kit.media.waveform import Samples
from etbgm_kit.types import Bar, Span
from etbgm_mixer import loudness, sound
from etbgm_mixer.loudness import FINE_PER_STEP, SAMPLE_RATE_HZ, STEP_S, LoudnessMeter
from etbgm_mixer.mixing import gains, music_bed, placing
from etbgm_mixer.mixing.gains import Levels, Measured
from etbgm_mixer.mixing.levelling import at_samples
from etbgm_mixer.mixing.limiter import Limiter
from etbgm_mixer.mixing.music_bed import PlacedCue
from etbgm_mixer.mixing.plan import Plan, plan
from etbgm_mixer.types import MixReport, MixSettings, OnProgress

CLOSE_ENOUGH_LU = 0.2
MISSED_LU = 0.5
"""From this distance to the target on, a note states the loudness reached."""

MOST_PASSES = 3
"""The first pass is close enough unless the limiter acts strongly."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The inputs; `voice` is the speech stem or the unchanged original, None without either.

    `ambience` is what was separated from the speech, at its original level; None to leave it out.
    All `_levels` are results of `levels_of` and `music_levels_of`, if already computed. `bars` are those of
    the music, if known.
    """

    voice: Path | None
    cues: Sequence[PlacedCue]
    speech_spans: Sequence[Span]
    duration_s: float
    voice_levels: Levels | None = None
    ambience: Path | None = None
    ambience_levels: Levels | None = None
    bars: Sequence[Bar] = ()
    music_levels: Levels | None = None


def _unheard() -> AbstractContextManager[Callable[[Samples], None]]:
    return nullcontext(lambda _: None)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files to write, and who else takes the blocks (samples, 2) of each pass over the mix."""

    mixdown: Path
    music_stem: Path
    encoder: Callable[[], AbstractContextManager[Callable[[Samples], None]]] = _unheard


@dataclass(frozen=True, slots=True)
class Reached:
    """The plan, the gain that was used for it, in dB, and the measured results."""

    plan: Plan
    gain_db: float
    loudness_lufs: float
    reduction_db: float


class Mix:
    """One mix of `parts`: `measure` once, then `render`."""

    def __init__(self, parts: Parts, settings: MixSettings) -> None:
        self._parts, self.settings = parts, settings
        self._length = round(parts.duration_s * SAMPLE_RATE_HZ)
        self._spans = parts.speech_spans if parts.voice else ()
        kept = parts.ambience is not None and settings.ambience_db is not None
        self._ambience = parts.ambience if kept else None
        self._ambience_gain = np.float32(10 ** ((settings.ambience_db or 0.0) / 20))

    def measure(self, on_progress: OnProgress) -> Measured:
        """Measures loudness and peaks of all parts."""
        voice = self._parts.voice_levels or levels_of("speech", self._parts.voice, self._length, on_progress)
        music = self._parts.music_levels or music_levels_of(self._parts.cues, self._length, on_progress)
        return Measured(*voice, *music, *self._lowered_ambience(len(voice[0]), on_progress))

    def _lowered_ambience(self, steps: int, on_progress: OnProgress) -> Levels:
        if self._ambience is None:
            return np.zeros(steps), np.zeros(steps)
        levels = self._parts.ambience_levels or levels_of(
            "residual", self._ambience, self._length, on_progress
        )
        return levels[0] * self._ambience_gain**2, levels[1] * self._ambience_gain

    def render(
        self,
        measured: Measured,
        ceiling_dbtp: float,
        outputs: Outputs,
        on_progress: OnProgress,
    ) -> Reached:
        """Writes the mixdown and its music stem; repeats until the loudness is close enough."""
        target_lufs = self.settings.target_loudness_lufs
        planned = plan(measured, self._spans, self.settings, ceiling_dbtp, self._parts.bars)
        gain_db, most_db = planned.gain_db, gains.most_gain_db(self._spans, self.settings)
        for _ in range(MOST_PASSES):
            reached = self._pass(planned, gain_db, ceiling_dbtp, outputs, on_progress)
            missing_db = target_lufs - reached.loudness_lufs
            if abs(missing_db) <= CLOSE_ENOUGH_LU or gain_db + missing_db > most_db:
                break
            gain_db += missing_db
        return reached

    def _pass(
        self,
        planned: Plan,
        gain_db: float,
        ceiling_dbtp: float,
        outputs: Outputs,
        on_progress: OnProgress,
    ) -> Reached:
        limiter, meter = Limiter(10 ** (ceiling_dbtp / 20), 2), LoudnessMeter(2)
        gain = np.float32(10 ** (gain_db / 20))
        music_gain = np.float32(10 ** ((gain_db + planned.music_gain_db) / 20))
        skip, held = limiter.DELAY, np.zeros((limiter.DELAY, 2), np.float32)
        with (
            sound.created(outputs.mixdown, 2) as mixed_file,
            sound.created(outputs.music_stem, 2) as music_file,
            outputs.encoder() as encode,
        ):
            for original, music in self._blocks(planned, flush=limiter.DELAY):
                held = np.concatenate([held, music * music_gain])
                mixed, limiting = limiter.feed(original * gain + held[-len(music) :])
                under, held = held[: len(music)] * limiting, held[len(music) :]
                mixed_file.write(mixed[skip:])
                encode(mixed[skip:])
                music_file.write(under[skip:])
                meter.feed(mixed[skip:])
                skip = max(0, skip - len(music))
                on_progress(min(1.0, mixed_file.tell() / self._length))
        reached = loudness.loudness_lufs(meter.energies())
        return Reached(planned, gain_db, reached, limiter.reduction_db)

    def _blocks(self, planned: Plan, flush: int) -> Iterator[tuple[Samples, Samples]]:
        """Yields speech with ambience and placed music, (samples, 2) each, then `flush` silent samples."""
        first = 0
        with (
            sound.maybe_opened(self._parts.voice, "speech") as voice,
            sound.maybe_opened(self._ambience, "residual") as ambience,
        ):
            for music in _music(self._parts.cues, self._length):
                count = len(music)
                spoken = voice(count) * at_samples(planned.voice_curve, first, count)
                placed = music * at_samples(planned.music_curve, first, count)
                yield spoken + ambience(count) * self._ambience_gain, placed
                first += count
        silence = np.zeros((flush, 2), np.float32)
        yield silence, silence

    def levels_json(self, reached: Reached) -> bytes:
        """Returns loudness of voice and music in the mix, and the voice's gain, every 100 ms, as JSON."""
        mixed = reached.plan.measured
        speech = _level_row(mixed.voice, reached.gain_db)
        music = _level_row(mixed.music, reached.gain_db + reached.plan.music_gain_db)
        gain = 20 * np.log10(reached.plan.voice_curve[::FINE_PER_STEP]) + reached.gain_db
        rows = {"speech_lufs": speech, "music_lufs": music, "speech_gain_db": gain.round(2).tolist()}
        return json.dumps({"step_s": STEP_S, **rows}).encode()

    def report(self, reached: Reached, true_peak_dbtp: float) -> MixReport:
        """Returns the measured results."""
        planned = reached.plan
        mixed, music_db = planned.measured, planned.music_gain_db
        worst = placing.worst(mixed.voice, mixed.music * 10 ** (music_db / 10), planned.phrases)
        return MixReport(
            integrated_loudness_lufs=reached.loudness_lufs,
            true_peak_dbtp=true_peak_dbtp,
            speech_to_music_lu=gains.speech_over_music_lu(mixed, self._spans, music_db),
            music_lift_lu=gains.lift_lu(mixed, self._spans),
            speech_gain_db=reached.gain_db,
            limiter_reduction_db=reached.reduction_db,
            worst_speech_to_music_lu=worst[1] if worst else None,
            worst_span=worst[0].span if worst else None,
            notes=self._notes(reached),
        )

    def _notes(self, reached: Reached) -> tuple[str, ...]:
        """Returns a sentence if the loudness differs from the target."""
        found, target = reached.loudness_lufs, self.settings.target_loudness_lufs
        if not np.isfinite(found) or abs(target - found) <= MISSED_LU:
            return ()
        too_quiet = reached.gain_db + target - found > gains.most_gain_db(self._spans, self.settings)
        reason = "make the noise of this quiet sound too loud" if too_quiet else "distort its peaks"
        return (
            f"The loudness is {found:.1f} instead of {target:.1f} LUFS, because more gain would {reason}.",
        )


def levels_of(field: str, stem: Path | None, length: int, on_progress: OnProgress) -> Levels:
    """Returns energy and peak per 10 ms of the first `length` samples of a stem; None is silence.

    Raises InvalidField for `field` if the stem cannot be read.
    """
    meter = LoudnessMeter(2)
    with sound.maybe_opened(stem, field) as read:
        for first in range(0, length, sound.BLOCK):
            meter.feed(read(min(sound.BLOCK, length - first)))
            on_progress(0.0)
    return meter.fine()


def music_levels_of(cues: Sequence[PlacedCue], length: int, on_progress: OnProgress) -> Levels:
    """Returns energy and peak per 10 ms of the first `length` samples of the music. Raises InvalidField."""
    meter, done = LoudnessMeter(2), 0
    for music in _music(cues, length):
        meter.feed(music)
        done += len(music)
        on_progress(done / length)
    return meter.fine()


def _music(cues: Sequence[PlacedCue], length: int) -> Iterator[Samples]:
    """Yields the music in blocks of (samples, 2), exactly `length` samples in all."""
    first = 0
    for block in music_bed.blocks(cues):
        if first >= length:
            break
        music = block[: length - first]
        yield music
        first += len(music)
    if first < length:
        yield np.zeros((length - first, 2), np.float32)


def _level_row(fine: loudness.Energies, gain_db: float) -> list[float | None]:
    lufs = loudness.momentary_lufs(loudness.coarse(fine)) + gain_db
    return [round(float(value), 2) if value > gains.SILENT_LUFS else None for value in lufs]
