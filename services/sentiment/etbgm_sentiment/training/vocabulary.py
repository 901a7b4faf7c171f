"""Chooses the tokens of e5's 250,037 that the languages of videos need, and makes their tokenizer.

Most of the encoder's size is its embeddings. Tokens are kept for the words that people use most
(wordfreq, Speer 2022), so that these words are cut into the same pieces as before.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from wordfreq import top_n_list

from etbgm_sentiment.training.e5 import Pieces

WORDS = {
    "en": 60_000,
    "ko": 30_000,
    "ru": 40_000,
    "de": 12_000,
    "es": 12_000,
    "fr": 12_000,
    "it": 12_000,
    "ja": 12_000,
    "pt": 12_000,
    "zh": 12_000,
}
"""How many of each language's most frequent words keep their tokens."""

LANGUAGES = tuple(WORDS)

SHOUTED_WORDS = 10_000
"""How many of the most frequent words are also kept in capitals, and after a quote or hyphen."""

PLACEHOLDERS = ("[NAME]", "[RELIGION]", "[ИМЯ]", "[РЕЛИГИЯ]")
"""What GoEmotions and its translations write in place of names."""

SCORE_DIGITS = 4
"""Decimals of the pieces' log probabilities; more fill a third of tokenizer.json and change the tokens
of one text in 800."""

_PREFIX = "query: "
"""What e5 expects before a text (Wang et al. 2024, section 3)."""

_SCRIPTS = ("LATIN", "CYRILLIC", "HANGUL", "CJK", "HIRAGANA", "KATAKANA")
_SPECIAL_TOKENS = 4
"""<s>, <pad>, </s> and <unk> come first."""


def needed_pieces(pieces: Pieces) -> list[int]:
    """Returns the numbers of the pieces to keep, ascending.

    These are the pieces of the frequent words as they are written, all of Hangul (the language with
    the most training data after English), single characters of the languages' scripts, and all that
    is no letter.
    """
    tokenizer = make_tokenizer(pieces)
    used = {*range(_SPECIAL_TOKENS), *tokenizer.encode("").ids}
    written = [form for language, count in WORDS.items() for form in _written(top_n_list(language, count))]
    for encoding in tokenizer.encode_batch([*written, *PLACEHOLDERS]):
        used.update(encoding.ids)
    used.update(number for number, (piece, _) in enumerate(pieces.scored) if _always_kept(piece))
    return sorted(used)


def pruned(pieces: Pieces, kept: Iterable[int]) -> Pieces:
    """Returns the pieces with the numbers `kept`; special tokens must be among them, at the start."""
    scored = [pieces.scored[number] for number in kept]
    return Pieces(scored, pieces.bos, pieces.eos, pieces.pad, pieces.unknown)


def make_tokenizer(pieces: Pieces) -> Tokenizer:
    """Returns a Unigram tokenizer that puts e5's prefix before each text and encloses it in <s> and </s>."""
    tokenizer = Tokenizer(models.Unigram(_unique(pieces.scored), unk_id=pieces.unknown))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Prepend(_PREFIX)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    bos, eos = (pieces.scored[number][0] for number in (pieces.bos, pieces.eos))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, pieces.bos), (eos, pieces.eos)]
    )
    return tokenizer


def _written(words: Sequence[str]) -> Iterator[str]:
    """The words in lower case, capitalised, and the first of them in capitals and within words."""
    for word in words:
        yield from (word, word.capitalize())
    for word in words[:SHOUTED_WORDS]:
        yield from (word.upper(), f"-{word}", f"-{word.capitalize()}")


def _unique(scored: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Returns the pieces with names for empty and repeated ones, which a Unigram model does not accept.

    Scores are rounded.
    """
    seen: set[str] = set()
    result = []
    for number, (piece, score) in enumerate(scored):
        name = piece if piece and piece not in seen else f"<unused{number}>"
        seen.add(name)
        result.append((name, round(score, SCORE_DIGITS)))
    return result


def _always_kept(piece: str) -> bool:
    characters = piece.removeprefix("\u2581")
    letters = [character for character in characters if character.isalpha()]
    scripts = {unicodedata.name(letter, "").split(" ")[0].split("-")[0] for letter in letters}
    if not letters:
        return True
    if scripts == {"HANGUL"}:
        return True
    return len(characters) == 1 and scripts <= set(_SCRIPTS)
