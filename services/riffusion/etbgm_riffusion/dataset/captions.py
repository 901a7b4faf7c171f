"""Writes captions from what is known and measured, through a template that users can replace."""

import string
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.types import ClipFacts, SourceRecord
from etbgm_riffusion.diffusion.prompts import Prompts
from etbgm_riffusion.tables import read_table

FIELDS = frozenset(
    {"tags", "name", "emotion", "emotion_name", "title", "artist"}
    | {"bpm", "key", "tempo", "loudness", "brightness", "density"}
)


def _known_fields(parts: tuple[str, ...]) -> tuple[str, ...]:
    named = {name for part in parts for _, name, _, _ in string.Formatter().parse(part) if name is not None}
    if unknown := sorted(named - FIELDS):
        raise ValueError(f"unknown fields {', '.join(unknown)}; there are {', '.join(sorted(FIELDS))}")
    return parts


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Words(_Strict):
    words: tuple[str, ...]
    limits: tuple[float, ...]

    @model_validator(mode="after")
    def _one_more_word(self) -> Self:
        if len(self.words) != len(self.limits) + 1 or list(self.limits) != sorted(self.limits):
            raise ValueError("needs ascending limits and one more word than limits")
        return self

    def word(self, value: float | None) -> str:
        """Returns the word for `value`; empty if it is unknown."""
        if value is None:
            return ""
        return self.words[sum(value > limit for limit in self.limits)]


class Template(_Strict):
    """The parts of a caption, and the words for measured values."""

    parts: Annotated[tuple[str, ...], AfterValidator(_known_fields)]
    tempo: _Words
    loudness: _Words
    brightness: _Words
    density: _Words

    def caption(
        self, record: SourceRecord, clip: ClipFacts, emotion: Emotion | None, prompts: Prompts, tags: str
    ) -> str:
        """Returns the caption of a clip; `tags` are the manifest's; `emotion` is None if it is unsure."""
        values = {
            "tags": tags or _tagged(record),
            "name": _words_of_name(record),
            "emotion": _in_key(prompts.emotions[emotion].prompt, record.key) if emotion else "",
            "emotion_name": emotion.value if emotion else "",
            "title": record.tags.get("title", ""),
            "artist": record.tags.get("artist", ""),
            "bpm": f"{record.tempo_bpm:.0f} bpm" if record.tempo_bpm else "",
            "key": f"{record.key} key" if record.key else "",
            "tempo": self.tempo.word(record.tempo_bpm),
            "loudness": self.loudness.word(clip.level_db),
            "brightness": self.brightness.word(clip.brightness_hz),
            "density": self.density.word(clip.onsets_per_s),
        }
        return ", ".join(part for part in (_filled(part, values) for part in self.parts) if part)


def read_template(path: Path | None) -> Template:
    """Reads a template from a TOML file, or the package's own if None. Raises BrokenTable."""
    return read_table(Template, path, files(__package__).joinpath("captions.toml"))


def _filled(part: str, values: Mapping[str, str]) -> str:
    names = [name for _, name, _, _ in string.Formatter().parse(part) if name]
    return part.format(**values).strip() if all(values[name] for name in names) else ""


def _in_key(prompt: str, key: str | None) -> str:
    """Returns a prompt without its parts that name the mode opposite to that of `key`."""
    opposite = {"major": "minor", "minor": "major"}.get((key or "").split(" ")[-1])
    return ", ".join(part for part in prompt.split(", ") if opposite not in part.split(" "))


def _tagged(record: SourceRecord) -> str:
    """Returns the genre and the mood that the file names."""
    return ", ".join(record.tags[name].lower() for name in ("genre", "mood") if record.tags.get(name))


def _words_of_name(record: SourceRecord) -> str:
    """Returns the words of the file's name that contain no digits."""
    words = PurePosixPath(record.source).stem.replace("-", " ").replace("_", " ").split()
    return " ".join(word.lower() for word in words if not any(letter.isdigit() for letter in word))
