"""Writes a contact sheet and a page with players, to look and listen through a data set."""

import html
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import soundfile

from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.picture import Tile, draw_sheet
from etbgm_riffusion.dataset.types import SPLITS, Clip, Dataset, Split
from etbgm_riffusion.spectrogram import image
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.spectrogram.params import SpectrogramParams

SHEET, PAGE, SOUNDS = "contact-sheet.png", "index.html", "sounds"

_SHOWN = 300
"""Clips that the page shows; in larger data sets, they are spread over emotions and sources."""

STYLE = """
body{font:16px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1200px;padding:0 1rem;color:#23272f}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .8rem;border-bottom:1px solid #d9dce2;
text-align:left}.clips{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:1rem}
.clip{border:1px solid #d9dce2;border-radius:8px;padding:.6rem;
overflow-wrap:anywhere}.clip img{width:100%;border-radius:4px}
.clip audio,td audio{width:100%;min-width:220px}small{color:#5b6270}@media(prefers-color-scheme:dark){
body{background:#16181d;color:#e6e8ec}.clip,td,th{border-color:#3a3f4b}small{color:#a6adb8}}
"""


def write_report(folder: DatasetFolder, previews: int) -> None:
    """Writes the contact sheet, the page, and the sound of `previews` images; blocks, 1 s for each."""
    dataset = folder.dataset()
    clips = list(_spread([(split, clip) for split in SPLITS for clip in folder.rows(split)]))
    tiles = [Tile(folder.image(split, clip), clip.emotion, clip.source) for split, clip in clips]
    draw_sheet(tiles, folder.path / SHEET)
    sounds = folder.path / SOUNDS
    sounds.mkdir(exist_ok=True)
    wanted = {f"{Path(clip.file_name).stem}.flac" for _, clip in clips[:previews]}
    for path in sounds.glob("*.flac"):
        if path.name not in wanted:
            path.unlink()
    for split, clip in clips[:previews]:
        path = sounds / f"{Path(clip.file_name).stem}.flac"
        if not path.exists():
            decode(folder.image(split, clip), path)
    page = "".join(_page(dataset, clips[:_SHOWN], previews))
    (folder.path / PAGE).write_text(page, encoding="utf-8")


def decode(picture: Path, path: Path) -> None:
    """Writes the sound of a spectrogram image as FLAC. Raises ValueError for other images."""
    mel, params = image.load(picture)
    params = params if params.stereo else SpectrogramParams()
    sound = Codec(params).decode(mel, None, mel.shape[2] * params.hop)
    part = path.with_name(f".{path.name}.part")
    soundfile.write(part, np.clip(sound, -1, 1), params.sample_rate_hz, "PCM_16", format="FLAC")
    part.replace(path)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Returns a table in HTML; texts are escaped."""
    cells = [[f"<td>{html.escape(str(cell))}</td>" for cell in row] for row in rows]
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    return f"<table><tr>{heads}</tr>{''.join(f'<tr>{chr(10).join(row)}</tr>' for row in cells)}</table>\n"


def _spread(clips: Sequence[tuple[Split, Clip]]) -> Iterator[tuple[Split, Clip]]:
    """Yields clips of all emotions and sources in turn."""
    groups: dict[tuple[str, str], list[tuple[Split, Clip]]] = defaultdict(list)
    for split, clip in clips:
        groups[clip.emotion, clip.source].append((split, clip))
    by_emotion: dict[str, list[Iterator[tuple[Split, Clip]]]] = defaultdict(list)
    for (emotion, _), group in sorted(groups.items()):
        by_emotion[emotion].append(iter(group))
    lines = [_in_turn(sources) for _, sources in sorted(by_emotion.items())]
    return _in_turn(lines)


def _in_turn(lines: Sequence[Iterator[tuple[Split, Clip]]]) -> Iterator[tuple[Split, Clip]]:
    return (item for item in chain.from_iterable(zip_longest(*lines)) if item is not None)


def _page(dataset: Dataset, clips: Sequence[tuple[Split, Clip]], previews: int) -> Iterator[str]:
    total = sum(dataset.clips.values())
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>Data set</title><style>{STYLE}</style>"
    yield f"<h1>Data set</h1><p>{total} clips of 5.12 s: "
    yield f"{dataset.clips['train']} for training, {dataset.clips['validation']} held out; left out: "
    yield f"{dataset.duplicates} near-duplicates, {dataset.silent} silent clips.</p>\n<h2>Sources</h2>"
    rows = [
        (one.source, one.rights.licence, one.rights.owner, one.rights.credit, one.split, one.clips)
        for one in dataset.sources
    ]
    yield table(("source", "licence", "owner", "credit", "split", "clips"), rows)
    yield "<h2>Clips</h2><p>The players play the images, not the sources.</p><div class=clips>"
    for number, (split, clip) in enumerate(clips):
        yield from _card(split, clip, number < previews)
    yield "</div></html>\n"


def _card(split: Split, clip: Clip, playable: bool) -> Iterator[str]:
    stem = html.escape(Path(clip.file_name).stem)
    source = html.escape(f"{clip.source}, {clip.start_s:.1f} s, {clip.licence}, {split}")
    sure = f"{clip.emotion_confidence:.0%}, {clip.emotion_from}"
    yield f'<div class=clip><img loading=lazy alt="" src="{split}/{stem}.png">'
    if playable:
        yield f'<audio controls preload=none src="{SOUNDS}/{stem}.flac"></audio>'
    yield f"<b>{clip.emotion}</b> <small>{sure}</small><br>{html.escape(clip.caption)}<br>"
    yield f"<small>{source}</small></div>\n"
