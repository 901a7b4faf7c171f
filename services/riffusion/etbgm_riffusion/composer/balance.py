"""Sets the volume of each voice so that every section reaches its loudness.

The measured levels of the sounds (`levels`) predict the level of the written notes; the volumes make up
the difference. So only the mood decides how loud the music is, not the instruments or the random seed.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.levels import note_energy_db, volume_for
from etbgm_riffusion.composer.perform import Line
from etbgm_riffusion.composer.plan import Plan
from etbgm_riffusion.composer.profiles import PROFILES
from etbgm_riffusion.composer.score import Voice
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL

NEUTRAL_LUFS = -20.5
"""Integrated loudness of a neutral section."""

BALANCE_DB = {"lead": 0.0, "counter": -6.0, "keys": -2.0, "pad": -6.5, "bass": -3.0, "drums": -4.0}
"""Levels of the voices while they play, relative to each other."""

_LUFS_OFFSET_DB = -0.691
"""Offset of the loudness in LUFS from the K-weighted mean square, ITU-R BS.1770-5."""

_LEAST_DB, _MOST_DB = -40.0, 4.0

_Place = tuple[Emotion, str]


def volumes(lines: Sequence[Line], plan: Plan, voices: Mapping[int, Voice]) -> dict[tuple[int, str], int]:
    """Returns controller 7 for each section's index and role."""
    sections = plan.sections
    energies: dict[_Place, float] = defaultdict(float)
    active_s: dict[_Place, float] = defaultdict(float)
    total_s: dict[Emotion, float] = defaultdict(float)
    for line in lines:
        emotion, bar = sections[line.bar.section].emotion, line.bar
        if line.written:
            energies[emotion, line.role] += _energy(line, voices[line.channel])
            active_s[emotion, line.role] += bar.end_s - bar.start_s
    for section in sections:
        total_s[section.emotion] += section.span.duration_s
    gains_db = _gains_db(energies, active_s, total_s, plan)
    return {
        (index, role): volume_for(min(_MOST_DB, max(_LEAST_DB, gain_db + section.mood.level_db)))
        for index, section in enumerate(sections)
        for (emotion, role), gain_db in gains_db.items()
        if emotion == section.emotion
    }


def _energy(line: Line, voice: Voice) -> float:
    drums = voice.channel == DRUMS_CHANNEL
    energy = 0.0
    for event in line.written:
        beats = line.bar.beats - event.beat if line.rings else event.length * line.articulation
        length_s = beats * line.bar.beat_s
        energy += 10 ** (note_energy_db(drums, voice.programme, event.pitch, event.velocity, length_s) / 10)
    return energy


def _gains_db(
    energies: Mapping[_Place, float],
    active_s: Mapping[_Place, float],
    total_s: Mapping[Emotion, float],
    plan: Plan,
) -> dict[_Place, float]:
    """Returns gains by emotion and role: each role meets the balance, all together meet the loudness."""
    gains_db = {}
    for place, energy in energies.items():
        emotion, role = place
        level_db = 10 * math.log10(energy / active_s[place])
        tables = (plan.style.balance_db, plan.texture.balance_db, PROFILES[emotion].balance_db)
        asked = (table.get(role, 0.0) for table in tables)
        gains_db[place] = BALANCE_DB[role] + sum(asked) - level_db
    for emotion, length_s in total_s.items():
        own = [place for place in energies if place[0] == emotion]
        power = sum(energies[place] * 10 ** (gains_db[place] / 10) for place in own) / length_s
        missing_db = NEUTRAL_LUFS - _LUFS_OFFSET_DB - 10 * math.log10(power) if power else 0.0
        for place in own:
            gains_db[place] += missing_db
    return gains_db
