"""The words that may replace a style's name: "calm piano", "epic, no drums".

The vocabulary is closed. Unknown words are rejected by name, so that nobody waits for music made from a
misread request. Emotion words are not included; emotions come from the timeline.
"""

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from etbgm_riffusion.types import AUTO

LONGEST = 200
"""Maximum characters of a request."""

_WORDS_NAMED = 5
"""Maximum unknown words that an error names."""

Meaning = TypeVar("Meaning")

_STYLE_WORDS: dict[str, tuple[str, ...]] = {
    "acoustic": ("acoustic", "folk", "unplugged", "country", "singer songwriter"),
    "ambient": ("ambient", "drone", "soundscape", "new age", "meditation"),
    "cinematic": ("cinematic", "film", "filmic", "movie", "trailer", "score", "hollywood"),
    "electronic": ("electronic", "electro", "electronica", "edm", "techno", "synthwave", "synth pop"),
    "jazz": ("jazz", "jazzy", "jazz trio", "swing", "bebop", "blues", "bluesy"),
    "lofi": ("lofi", "lo fi", "lofi hip hop", "lo fi hip hop", "hip hop", "chillhop"),
    "orchestral": ("orchestral", "orchestra", "symphonic", "symphony", "classical", "philharmonic"),
    "pop": ("pop", "poppy", "radio", "rock", "indie", "indie pop"),
}
"""Words that name a style. The last of several counts, as in "ambient jazz"."""

_SUGGESTIONS: dict[str, str] = {
    "chill": "lofi",
    "dreamy": "ambient",
    "epic": "cinematic",
    "heroic": "cinematic",
    "synth": "electronic",
    "synths": "electronic",
}
"""Words for moods and instruments that also imply a style, unless one is named."""

_MOOD_WORDS: dict[float, tuple[str, ...]] = {
    -0.8: ("sleepy", "meditative", "still", "motionless"),
    -0.6: ("calm", "calming", "peaceful", "quiet", "serene", "slow", "tranquil", "hushed"),
    -0.4: ("chill", "dreamy", "gentle", "gently", "laid back", "mellow", "relaxed", "relaxing", "soft"),
    -0.2: ("delicate", "easy", "light", "minimal", "sparse", "subtle", "tender"),
    0.2: ("bouncy", "brisk", "groovy", "moving", "playful"),
    0.4: ("bold", "lively", "loud", "rhythmic", "upbeat", "vivid"),
    0.6: ("big", "driving", "energetic", "epic", "exciting", "fast", "heroic", "quick"),
    0.8: ("aggressive", "frantic", "furious", "hectic", "intense", "powerful", "wild"),
}  # fmt: skip
"""Arousal (Russell 1980), -1 calm to 1 excited, that a word adds; several are averaged."""

_DEGREES: dict[str, float] = {"slightly": 0.5, "somewhat": 0.5, "rather": 0.8, "very": 1.5, "really": 1.5}
"""Factors for the mood that follows."""

_INSTRUMENT_WORDS: dict[str, tuple[str, ...]] = {
    "bells": ("bells", "bell", "celesta", "glockenspiel", "music box", "chimes"),
    "brass": ("brass", "trombone", "trombones", "trumpet", "trumpets"),
    "cello": ("cello", "cellos", "celli"),
    "choir": ("choir", "choirs"),
    "clarinet": ("clarinet", "clarinets"),
    "electric guitar": ("electric guitar", "electric guitars"),
    "electric piano": ("electric piano", "e piano", "rhodes", "wurlitzer"),
    "flute": ("flute", "flutes"),
    "guitar": ("guitar", "guitars", "acoustic guitar", "acoustic guitars", "ukulele"),
    "harp": ("harp", "harps"),
    "horn": ("horn", "horns", "french horn", "french horns"),
    "mallets": ("mallets", "marimba", "xylophone", "vibraphone", "vibes", "kalimba"),
    "oboe": ("oboe", "oboes"),
    "organ": ("organ", "church organ"),
    "piano": ("piano", "pianos", "grand piano"),
    "saxophone": ("saxophone", "saxophones", "sax"),
    "strings": ("strings", "string", "string quartet", "string section"),
    "synth": ("synth", "synths", "synthesiser", "synthesisers", "synthesizer", "synthesizers"),
    "violin": ("violin", "violins", "fiddle"),
}
"""Families of instruments, and the words for each."""

_DRUM_WORDS: dict[bool, tuple[str, ...]] = {
    True: ("drums", "drum", "percussion", "beat", "beats"),
    False: (
        "no drums", "no drum", "no percussion", "no beat", "no beats", "drumless", "beatless",
        "without drums", "without percussion", "without a beat", "without beat", "without beats",
    ),
}  # fmt: skip
"""Words for whether drums may play."""

_FILLERS = frozenset((
    "a", "an", "and", "as", "at", "background", "bgm", "but", "feel", "feeling", "for", "in", "instrumental",
    "instruments", "kind", "like", "me", "mood", "music", "of", "on", "piece", "please", "some", "something",
    "song", "sort", "sound", "sounding", "sounds", "soundtrack", "style", "the", "theme", "to", "track",
    "tune", "vibe", "with",
))  # fmt: skip
"""Words that are ignored."""


@dataclass(frozen=True, slots=True)
class StyleRequest:
    """What a user requests of the music.

    `style` is a style's name or AUTO; `arousal` in [-1, 1] is added to the emotions' own; `programmes`
    are names of `FAMILIES`, in the order of the request; `drums` is False if there must be no drums.
    """

    style: str = AUTO
    arousal: float = 0.0
    programmes: tuple[str, ...] = ()
    drums: bool = True


FAMILIES = tuple(_INSTRUMENT_WORDS)
"""All names that `StyleRequest.programmes` may contain."""

STYLES = tuple(_STYLE_WORDS)
"""All styles that have words."""


def read(text: str, styles: Collection[str] = STYLES) -> StyleRequest:
    """Parses `text`; case, punctuation and hyphens do not matter.

    `styles` are those that may be named. Raises ValueError naming unknown words and some known ones, or
    if `text` is longer than LONGEST.
    """
    if len(text) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters")
    terms = list(_terms(re.sub(r"[\W_]+", " ", text.casefold()).split()))
    named = [style for term in terms if (style := _STYLES.get(term, term)) in styles]
    suggested = [style for term in terms if (style := _SUGGESTIONS.get(term, "")) in styles]
    unknown = [term for term in terms if term not in _KNOWN and _STYLES.get(term, term) not in styles]
    if unknown:
        raise ValueError(_complaint(unknown, styles))
    moods = [
        _MOODS[term] * _DEGREES.get(before, 1.0)
        for before, term in itertools.pairwise(["", *terms])
        if term in _MOODS
    ]
    arousal = round(sum(moods) / max(1, len(moods)), 3)
    return StyleRequest(
        style=[AUTO, *suggested, *named][-1],
        arousal=max(-1.0, min(1.0, arousal)),
        programmes=tuple(dict.fromkeys(_INSTRUMENTS[term] for term in terms if term in _INSTRUMENTS)),
        drums=[True, *(_DRUMS[term] for term in terms if term in _DRUMS)][-1],
    )


def _terms(words: Sequence[str]) -> Iterator[str]:
    """Yields the words; words that form a known term, such as "no drums", are yielded as one."""
    start = 0
    while start < len(words):
        lengths = range(_LONGEST_TERM, 1, -1)
        length = next((n for n in lengths if " ".join(words[start : start + n]) in _TERMS), 1)
        yield " ".join(words[start : start + length])
        start += length


def _complaint(unknown: Sequence[str], styles: Collection[str]) -> str:
    named = ", ".join(f'"{word}"' for word in list(dict.fromkeys(unknown))[:_WORDS_NAMED])
    return (
        f"does not know {named}; a style is one of {', '.join((AUTO, *sorted(styles)))}, with words "
        "such as calm, gentle, driving, energetic, piano, guitar, strings, no drums"
    )


def _by_word(table: Mapping[Meaning, Sequence[str]]) -> dict[str, Meaning]:
    return {word: meaning for meaning, words in table.items() for word in words}


_STYLES = _by_word(_STYLE_WORDS)
_MOODS = _by_word(_MOOD_WORDS)
_INSTRUMENTS = _by_word(_INSTRUMENT_WORDS)
_DRUMS = _by_word(_DRUM_WORDS)
_KNOWN = {AUTO, *_MOODS, *_DEGREES, *_INSTRUMENTS, *_DRUMS, *_FILLERS}
_TERMS = {*_STYLES, *_KNOWN}
_LONGEST_TERM = max(len(term.split()) for term in _TERMS)
