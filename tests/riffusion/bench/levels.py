"""Measures how loud every sound of the SoundFont that the composer uses is: composer/levels.tsv.

usage: python -m tests.riffusion.bench.levels > services/riffusion/etbgm_riffusion/composer/levels.tsv
Needs pyloudnorm (tests/requirements.txt).
"""

import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pyloudnorm

from etbgm_riffusion.composer.bands import BANDS, ENSEMBLES
from etbgm_riffusion.composer.grooves import PITCHES as DRUMS
from etbgm_riffusion.composer.levels import DURATIONS_S, PITCHES, REFERENCE_VOLUME, VELOCITIES
from etbgm_riffusion.composer.score import Voice
from etbgm_riffusion.composer.sound.installed import find_soundfont, find_synth
from etbgm_riffusion.composer.sound.synth import Synth
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL, STYLES
from etbgm_riffusion.types import Stereo

RATE_HZ = 44100
TAIL_S = 2.0
REST_S = 1.0
"""Time in which the reverb of the note before dies away."""
ALL_SOUND_OFF = 120
SILENCE_DB = -99.0


def main() -> None:
    """Writes the table."""
    synth = find_synth(find_soundfont(None))
    touches = [(velocity, duration_s) for velocity in VELOCITIES for duration_s in DURATIONS_S]
    say(
        "channel",
        "programme",
        "pitch",
        *(f"{velocity}: {duration_s:g} s" for velocity, duration_s in touches),
    )
    for programme in programmes():
        for pitch in PITCHES:
            say("pitched", programme, pitch, *energies_db(synth, 0, programme, pitch, touches))
    for programme in sorted({style.drums for style in STYLES.values()}):
        for pitch in DRUMS:
            say("drums", programme, pitch, *energies_db(synth, DRUMS_CHANNEL, programme, pitch, touches))


def programmes() -> list[int]:
    """All that a style or a wish can call for."""
    bands = [*(band for bands in BANDS.values() for band in bands), *ENSEMBLES.values()]
    return sorted({programme for band in bands for sounds in band.values() for programme in sounds})


def energies_db(
    synth: Synth, channel: int, programme: int, pitch: int, touches: Sequence[tuple[int, float]]
) -> Iterator[str]:
    """The energy of each touch of a key: its velocity, and how long it is held."""
    player = synth.player([[Voice("", "", channel, programme, REFERENCE_VOLUME, 64, 40)]], RATE_HZ)
    for velocity, duration_s in touches:
        held, tail, rest = (
            np.zeros((round(length * RATE_HZ) // 64 * 64, 2), np.float32)
            for length in (duration_s, TAIL_S, REST_S)
        )
        player.note_on(channel, pitch, velocity)
        player.render(held[None])
        player.note_off(channel, pitch)
        player.render(tail[None])
        player.control(channel, ALL_SOUND_OFF, 0)
        player.render(rest[None])
        yield energy_db(np.concatenate([held, tail]))
    player.close()


def energy_db(sound: Stereo) -> str:
    """10 log10 of the K-weighted sum of squares over both sides, in seconds (ITU-R BS.1770-5)."""
    for stage in pyloudnorm.Meter(RATE_HZ)._filters.values():
        sound = np.stack([stage.apply_filter(side) for side in sound.T], axis=1)
    return f"{max(SILENCE_DB, 10 * np.log10((sound**2).sum() / RATE_HZ + 1e-12)):.1f}"


def say(*fields: object) -> None:
    """Writes one row."""
    sys.stdout.write("\t".join(map(str, fields)) + "\n")


if __name__ == "__main__":
    main()
