"""Captions, duplicates and splits."""

from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.assemble import split_of
from etbgm_riffusion.dataset.captions import read_template
from etbgm_riffusion.dataset.folder import short_name
from etbgm_riffusion.dataset.similar import duplicates, fingerprint
from etbgm_riffusion.dataset.types import ClipFacts, SourceRecord
from etbgm_riffusion.diffusion import prompts
from etbgm_riffusion.tables import BrokenTable

CLIP = ClipFacts(name="a", start_s=0, level_db=-9, brightness_hz=2500, onsets_per_s=0.5, fingerprint="0" * 16)


def record(**values: object) -> SourceRecord:
    facts = {"source": "loops/01_rainy-day.wav", "sha256": "", "settings": "", "duration_s": 9.0,
             "loudness_lufs": -20.0, "tempo_bpm": 70.0, "key": "A minor", "tags": {}, "heard": {},
             "clips": (CLIP,), "silent": 0}  # fmt: skip
    return SourceRecord.model_validate(facts | values)


def test_captions_say_what_is_known_in_the_words_of_production() -> None:
    table = prompts.load(None)
    caption = read_template(None).caption(record(), CLIP, Emotion.SADNESS, table, "solo piano")
    assert caption.split(", ") == [
        "solo piano", *table.emotions[Emotion.SADNESS].prompt.split(", "),
        "slow tempo", "A minor key", "quiet", "bright sound", "sparse",
    ]  # fmt: skip


def test_the_words_for_an_emotion_do_not_contradict_the_key() -> None:
    table = prompts.load(None)
    caption = read_template(None).caption(record(), CLIP, Emotion.JOY, table, "")
    words = [part for part in table.emotions[Emotion.JOY].prompt.split(", ") if "major" not in part]
    assert caption.split(", ") == [*words, "slow tempo", "A minor key", "quiet", "bright sound", "sparse"]


def test_what_is_unknown_is_left_out() -> None:
    unknown = record(tempo_bpm=None, key=None)
    caption = read_template(None).caption(unknown, CLIP, None, prompts.load(None), "")
    assert caption == "quiet, bright sound, sparse"


def test_tags_of_the_file_stand_in_for_those_of_the_manifest() -> None:
    tagged = record(tags={"genre": "Jazz", "mood": "Calm"})
    template = read_template(None)
    assert template.caption(tagged, CLIP, None, prompts.load(None), "").startswith("jazz, calm, ")
    assert template.caption(tagged, CLIP, None, prompts.load(None), "trio").startswith("trio, slow")


def test_users_may_replace_the_template(tmp_path: Path) -> None:
    own = Path(prompts.__file__).parents[1] / "dataset" / "captions.toml"
    path = tmp_path / "own.toml"
    text = own.read_text(encoding="utf-8")
    first = next(line for line in text.splitlines() if line.startswith("parts"))
    path.write_text(text.replace(first, 'parts = ["studio sound {name}", "{bpm}", "{artist} live"]'))
    caption = read_template(path).caption(record(), CLIP, None, prompts.load(None), "")
    assert caption == "studio sound rainy day, 70 bpm"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('"{tempo}"', '"{speed}"'), "speed"),
        (("limits = [76, 108, 140]", "limits = [76]"), "tempo"),
        (("[density]", "[thickness]"), "density|thickness"),
        (("parts = [", "parts = "), "own.toml"),
    ],
)
def test_a_broken_template_is_named(tmp_path: Path, change: tuple[str, str], why: str) -> None:
    own = Path(prompts.__file__).parents[1] / "dataset" / "captions.toml"
    path = tmp_path / "own.toml"
    path.write_text(own.read_text(encoding="utf-8").replace(*change))
    with pytest.raises(BrokenTable, match=why):
        read_template(path)


def test_pictures_that_are_alike_have_like_fingerprints() -> None:
    chance = np.random.default_rng(3)
    base = chance.integers(0, 256, (32, 32, 3)).repeat(16, axis=0).repeat(16, axis=1)
    noisy = np.clip(base + chance.normal(0, 8, base.shape), 0, 255)
    other = chance.integers(0, 256, (32, 32, 3)).repeat(16, axis=0).repeat(16, axis=1)
    found = [fingerprint(picture.astype(np.uint8)) for picture in (base, noisy, other)]
    assert duplicates(found) == [False, True, False]
    assert duplicates(["0" * 16, "000000000000001f", "0000000000000003"]) == [False, False, True]


def test_pieces_are_split_and_stay_where_they_are() -> None:
    few = {f"piece {number}" for number in range(40)}
    splits = split_of(few, 0.2)
    assert 3 <= sum(split == "validation" for split in splits.values()) <= 14
    more = split_of(few | {"new one", "another"}, 0.2)
    assert {piece: more[piece] for piece in few} == splits
    for pieces in ({"a", "b"}, {"a", "b", "c"}):
        for share in (0.0, 0.1, 0.9):
            assert set(split_of(pieces, share).values()) == {"train", "validation"}
    assert split_of({"a"}, 0.9) == {"a": "train"}


def test_names_of_files_are_safe_and_different() -> None:
    names = {short_name(source) for source in ("a/b.wav", "a/b.flac", "../é ü.wav", "b.wav", "x" * 300)}
    assert len(names) == 5
    assert all(len(name) < 60 and name.replace("-", "").isalnum() and name.isascii() for name in names)
