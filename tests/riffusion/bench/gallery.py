"""A page to listen to: each emotion in each style, with its piano roll.

usage: python -m tests.riffusion.bench.gallery FOLDER [--seed 1] [--seconds 30] [--emotions joy,fear]
Open FOLDER/index.html in a browser.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import soundfile

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.styles import STYLES
from tests.riffusion.bench.pieces import RATE_HZ, piece_of, sound_of
from tests.riffusion.bench.roll import svg

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ET-BGM: emotions and styles</title>
<style>
body {{ font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 1500px; padding: 0 1em; color: #22262e }}
section {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 1em }}
figure {{ margin: 0; padding: .6em; border: 1px solid #d5d9e0; border-radius: 6px }}
img, audio {{ width: 100%; display: block; margin-top: .4em }}
</style>
<h1>Seven emotions in eight styles</h1>
<p>Random seed {seed}, {seconds:g} s each. Red: lead; orange: counter-melody; dark blue: figure;
light blue: pad; green: bass. Percussion is not drawn.</p>
{sections}
</html>
"""
_FIGURE = """<figure><figcaption><b>{style}</b> · {key} · {tempo:.0f} bpm</figcaption>
<img src="{name}.svg" alt="Piano roll of {emotion}, {style}" loading="lazy">
<audio src="{name}.mp3" controls preload="none"></audio></figure>
"""


def main() -> None:
    """Writes the page, the sounds and the rolls."""
    parser = argparse.ArgumentParser(prog="python -m tests.riffusion.bench.gallery", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--emotions", default=",".join(Emotion))
    parser.add_argument("--styles", default=",".join(STYLES))
    asked = parser.parse_args()
    emotions = [Emotion(name) for name in asked.emotions.split(",")]
    write(asked.folder, emotions, asked.styles.split(","), asked.seed, asked.seconds)
    sys.stdout.write(f"{asked.folder / 'index.html'}\n")


def write(
    folder: Path, emotions: Sequence[Emotion], styles: Sequence[str], seed: int, seconds: float
) -> None:
    """Writes index.html to `folder`, and an MP3 and an SVG file for each emotion and style."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = "".join(_sections(folder, emotions, styles, seed, seconds))
    (folder / "index.html").write_text(_PAGE.format(sections=sections, seed=seed, seconds=seconds))


def _sections(
    folder: Path, emotions: Sequence[Emotion], styles: Sequence[str], seed: int, seconds: float
) -> Iterator[str]:
    for emotion in emotions:
        figures = [_figure(folder, emotion, style, seed, seconds) for style in styles]
        yield f"<h2>{emotion.capitalize()}</h2>\n<section>\n{''.join(figures)}</section>\n"


def _figure(folder: Path, emotion: Emotion, style: str, seed: int, seconds: float) -> str:
    name = f"{emotion}-{style}-{seed}"
    score = compose(piece_of(emotion, seed, seconds, style))
    bed = sound_of(score)[0]
    soundfile.write(folder / f"{name}.mp3", bed, RATE_HZ, format="MP3", subtype="MPEG_LAYER_III")
    (folder / f"{name}.svg").write_text(svg(score))
    section = score.sections[0]
    facts = {"style": style, "emotion": emotion, "name": name, "key": str(section.key)}
    return _FIGURE.format(**{key: escape(value) for key, value in facts.items()}, tempo=section.tempo_bpm)


if __name__ == "__main__":
    main()
