"""A piece as a piano roll in SVG, for documents.

usage: python -m tests.riffusion.bench.roll STYLE RANDOM_SEED EMOTION [EMOTION ...] > roll.svg
"""

import sys
from collections.abc import Iterator

from etbgm_kit.media.charts import COLOURS
from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.picture import ROLES
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.types import Piece
from tests.riffusion.bench.pieces import timeline_of

SECTION_S = 24.0
WIDTH, NOTE_HEIGHT, HEADER = 960, 5, 22
LOWEST, HIGHEST = 28, 100


def main(style: str, random_seed: str, *emotions: str) -> None:
    """Prints the picture of a piece with 24 s of each emotion."""
    edges_s = [SECTION_S * i for i in range(len(emotions) + 1)]
    timeline = timeline_of(*edges_s, emotions=[Emotion(emotion) for emotion in emotions])
    sys.stdout.write(svg(compose(Piece(timeline, (), int(random_seed), style))))


def svg(score: Score) -> str:
    """The picture of a score; percussion is left out."""
    return "\n".join(_elements(score)) + "\n"


def _elements(score: Score) -> Iterator[str]:
    scale, height = WIDTH / score.duration_s, HEADER + NOTE_HEIGHT * (HIGHEST - LOWEST)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">'
    for section in score.sections:
        x, width = section.span.start_s * scale, section.span.duration_s * scale
        colour = COLOURS[section.emotion]
        yield f'<rect x="{x:.1f}" width="{width:.1f}" height="{height}" fill="{colour}" opacity="0.15"/>'
        label = f"{section.emotion} · {section.key} · {section.tempo_bpm:.0f} bpm"
        yield f'<text x="{x + 6:.1f}" y="15" font-size="12" fill="#3a3f4b">{label}</text>'
    for bar in score.bars:
        yield _rectangle(bar.start_s * scale, HEADER, 0.5, height - HEADER, "#9aa1ad")
    roles = {voice.channel: voice.role for voice in score.voices}
    for note in score.notes:
        role = roles[note.channel]
        if role != "drums":
            y = HEADER + NOTE_HEIGHT * (HIGHEST - note.pitch)
            width = max(1.0, (note.end_s - note.start_s) * scale - 0.4)
            yield _rectangle(note.start_s * scale, y, width, NOTE_HEIGHT - 1, ROLES[role][0])
    yield "</svg>"


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


if __name__ == "__main__":
    main(*sys.argv[1:])
