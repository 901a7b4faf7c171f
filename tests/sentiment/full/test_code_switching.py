"""Dictionaries that come from an encoder's own space, and texts with words of other languages."""

import random
from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from etbgm_sentiment.training import code_switching
from etbgm_sentiment.training.code_switching import dictionaries, switched

MEANINGS = {"love": 0, "hate": 1, "train": 2, "amor": 0, "odio": 1, "tren": 2, "und": 5}
"""Each word's direction; "und" is like no other."""


class Meanings:
    """A fake encoder: each token is its meaning, and a little of its language."""

    config = SimpleNamespace(hidden_size=8)

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        hidden = torch.zeros(*input_ids.shape, 8)
        for row, numbers in enumerate(input_ids.tolist()):
            for column, number in enumerate(numbers):
                hidden[row, column, list(MEANINGS.values())[number]] = 1
                hidden[row, column, 6 if number < 3 else 7] = 2
        return SimpleNamespace(last_hidden_state=hidden)


@pytest.fixture
def tokenizer() -> Tokenizer:
    numbers = {word: number for number, word in enumerate(MEANINGS)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="und"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def test_a_word_becomes_its_nearest_neighbour(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_switching, "top_n_list", lambda *_: ["und", "tren", "amor", "odio", "love"])
    monkeypatch.setattr(code_switching, "_NEIGHBOURS", 2)
    texts = ["Love love", "hate", "a train"] * code_switching.LEAST_USES + ["rarely"]
    found = dictionaries(Meanings(), tokenizer, texts, ["es"])  # type: ignore[arg-type]
    # "a" means nothing that a Spanish word means; "love" would be its own translation.
    assert found["es"] | {"a": ""} == {"love": "amor", "hate": "odio", "train": "tren", "a": ""}


def test_texts_without_frequent_words_have_no_dictionaries(tokenizer: Tokenizer) -> None:
    assert dictionaries(Meanings(), tokenizer, ["love"], ["es"]) == {}  # type: ignore[arg-type]


def test_most_known_words_of_a_text_change_to_one_language() -> None:
    known = {"es": {"love": "amor", "hate": "odio"}, "de": {"love": "liebe", "hate": "hass"}}
    text = "I love, LOVE and hate [NAME]! 사랑"
    found = {switched(text, known, random.Random(seed)) for seed in range(200)}
    assert "I amor, amor and odio [NAME]! 사랑" in found
    assert text in found
    assert not [each for each in found if {"amor", "odio"} & set(each.split()) and "liebe" in each]
