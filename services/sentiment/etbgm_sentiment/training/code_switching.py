"""English texts with some words in other languages, so that what is learnt holds for these as well.

The method is code-switching augmentation (Qin et al., "CoSDA-ML", IJCAI 2020). Its dictionaries need
no data: a word's translation is its nearest neighbour among the other language's frequent words in
the encoder's own space, under cross-domain similarity local scaling (Conneau et al., "Word
Translation Without Parallel Data", ICLR 2018, section 2.3).
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch.nn.functional import normalize
from transformers import BertModel
from wordfreq import top_n_list

from etbgm_sentiment.tokens import tokenise
from etbgm_sentiment.training.tensors import half_precision, tensors

LANGUAGES = ("de", "es", "fr", "it", "ja", "pt", "ru", "zh")
"""The languages that are read without training data of their own."""

WORD_SHARE = 0.6
"""Share of a text's known words that are replaced."""

WORDS = 5000
"""How many of each language's most frequent words may be translations."""

LEAST_USES = 12
"""English words in fewer texts stay as they are."""

_NEIGHBOURS = 10
_BATCH_WORDS = 256
_WORD = re.compile(r"[A-Za-z']+")

Vectors = npt.NDArray[np.float32]
Dictionary = Mapping[str, str]
"""Translations of English words in lower case into one language."""


def dictionaries(
    encoder: BertModel, tokenizer: Tokenizer, texts: Iterable[str], languages: Sequence[str] = LANGUAGES
) -> dict[str, Dictionary]:
    """Returns a dictionary for each language, of the words that `texts` use most.

    A word has a translation if each is the other's nearest neighbour and the words differ. Without
    frequent words there are none.
    """
    uses = Counter(word for text in texts for word in set(_WORD.findall(text.lower())))
    english = [word for word, count in uses.most_common() if count >= LEAST_USES]
    if not english:
        return {}
    vectors = _vectors(encoder, tokenizer, english)
    found: dict[str, Dictionary] = {}
    for language in languages:
        words = [word for word in top_n_list(language, WORDS) if word not in uses]
        pairs = _neighbours(vectors, _vectors(encoder, tokenizer, words))
        found[language] = {english[here]: words[there] for here, there in pairs}
    return found


def switched(text: str, known: Mapping[str, Dictionary], rng: random.Random) -> str:
    """Returns `text` with about WORD_SHARE of its known words in one language, drawn by `rng`."""
    dictionary = known[rng.choice(list(known))]

    def translated(found: re.Match[str]) -> str:
        word = found[0]
        return dictionary.get(word.lower(), word) if rng.random() < WORD_SHARE else word

    return _WORD.sub(translated, text)


def _vectors(encoder: BertModel, tokenizer: Tokenizer, words: Sequence[str]) -> Vectors:
    """Returns (words, hidden) unit vectors around the language's own mean."""
    ids = tokenise(tokenizer, words)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    result = np.zeros((len(ids), encoder.config.hidden_size), np.float32)
    with torch.inference_mode(), half_precision():
        for start in range(0, len(order), _BATCH_WORDS):
            chosen = order[start : start + _BATCH_WORDS]
            numbers, mask = tensors([ids[i] for i in chosen])
            hidden = encoder(input_ids=numbers, attention_mask=mask).last_hidden_state.float()
            weights = mask.unsqueeze(-1).float()
            pooled = (hidden * weights).sum(1) / weights.sum(1)
            result[chosen] = normalize(pooled, dim=1).numpy()
    result -= result.mean(0)
    unit: Vectors = result / np.linalg.norm(result, axis=1, keepdims=True).clip(1e-9)
    return unit


def _neighbours(ours: Vectors, theirs: Vectors) -> list[tuple[int, int]]:
    """Returns the pairs of rows that are each other's nearest; words near everything count less."""
    similarity = ours @ theirs.T
    close = np.sort(similarity, axis=1)[:, -_NEIGHBOURS:].mean(1, keepdims=True)
    crowded = np.sort(similarity, axis=0)[-_NEIGHBOURS:].mean(0, keepdims=True)
    scaled = 2 * similarity - close - crowded
    forth, back = scaled.argmax(1), scaled.argmax(0)
    return [(here, int(there)) for here, there in enumerate(forth) if back[there] == here]
