"""Written text made to look like recognised speech."""

import random

from etbgm_sentiment.spoken import spoken, with_wrong_words, without_punctuation


def test_spoken_text_has_no_punctuation_and_some_wrong_words() -> None:
    assert without_punctuation("It's [GREAT], isn't it?! 10/10") == "it's great isn't it 10 10"
    assert with_wrong_words("one two three", 1.0, ["x"], random.Random(1)) == "x x x"
    assert with_wrong_words("one two three", 0.0, ["x"], random.Random(1)) == "one two three"
    assert "[" not in spoken("[NAME] is here!", ["x"], random.Random(1))
