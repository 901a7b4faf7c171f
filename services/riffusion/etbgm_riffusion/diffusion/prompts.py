"""Riffusion's prompts: a table of words that users may replace.

Prompts are the users' own words and must not appear in logs and errors.
"""

import hashlib
import itertools
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.hints import FAMILIES, STYLES, StyleRequest
from etbgm_riffusion.diffusion.grid import COLUMNS_PER_S
from etbgm_riffusion.diffusion.types import PromptSpan
from etbgm_riffusion.tables import read_table

LONGEST = 400
"""Maximum characters of an entry; the model's own limit is 75 tokens for a whole prompt."""

Words = Annotated[str, Field(max_length=LONGEST)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class _Both(_Strict):
    prompt: Words = ""
    negative: Words = ""


class _Emotion(_Strict):
    prompt: Annotated[Words, Field(min_length=1)]
    negative: Words = ""


class _Negative(_Strict):
    negative: Words = ""


def _all_emotions(table: dict[str, _Emotion]) -> dict[str, _Emotion]:
    if wrong := sorted(set(Emotion) ^ table.keys()):
        raise ValueError(f"needs exactly {', '.join(Emotion)}; missing or unknown: {', '.join(wrong)}")
    return table


def _names_of(known: Sequence[str]) -> AfterValidator:
    def check(table: dict[str, str]) -> dict[str, str]:
        if unknown := [name for name in table if name not in known]:
            raise ValueError(f"there are {', '.join(known)}, but not {', '.join(unknown)}")
        return table

    return AfterValidator(check)


class Prompts(_Strict):
    """The words for each property of the music."""

    emotions: Annotated[dict[str, _Emotion], AfterValidator(_all_emotions)]
    everywhere: _Both = _Both()
    styles: Annotated[dict[str, Words], _names_of(STYLES)] = {}
    instruments: Annotated[dict[str, Words], _names_of(FAMILIES)] = {}
    no_drums: _Negative = _Negative()

    @property
    def revision(self) -> str:
        """Changes with every word."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def prompt(self, emotion: Emotion, style: str, wish: StyleRequest) -> tuple[str, str]:
        """Returns the prompt and negative prompt for music of one emotion in a style of `STYLES`."""
        words = self.emotions[emotion]
        instruments = (self.instruments.get(family, "") for family in wish.programmes)
        wanted = (self.styles.get(style, ""), *instruments, words.prompt, self.everywhere.prompt)
        unwanted = ("" if wish.drums else self.no_drums.negative, words.negative, self.everywhere.negative)
        return _joined(wanted), _joined(unwanted)

    def spans(
        self, emotions: Sequence[tuple[Span, Emotion]], style: str, wish: StyleRequest, start: int, width: int
    ) -> tuple[PromptSpan, ...]:
        """Returns the prompts of the columns [start, start + width) of a piece, 10 ms each.

        `emotions` follow each other without gaps; the first one also covers all columns before it, the
        last one all after it. Columns of the result count from `start`.
        """
        changes = [round(span.start_s * COLUMNS_PER_S) - start for span, _ in emotions[1:]]
        edges = [min(max(edge, 0), width) for edge in (0, *changes, width)]
        return tuple(
            PromptSpan(first, last, *self.prompt(emotion, style, wish))
            for (first, last), (_, emotion) in zip(itertools.pairwise(edges), emotions, strict=True)
            if first < last
        )


def load(path: Path | None) -> Prompts:
    """Loads the table from a TOML file, or this package's own if None. Raises BrokenTable."""
    return read_table(Prompts, path, files(__package__).joinpath("prompts.toml"))


def _joined(words: Sequence[str]) -> str:
    return ", ".join(part for part in words if part)
