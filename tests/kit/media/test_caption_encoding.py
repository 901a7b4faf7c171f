"""Captions in the encodings that people's files have."""

import pytest

from etbgm_kit.errors import InvalidField
from etbgm_kit.media.caption_encoding import decode

FRENCH = "Où étais-tu hier ? Je t'ai attendu à la gare.\nC'est déjà l'été, ça va être génial !"


def srt(text: str) -> str:
    lines = enumerate(text.split("\n"), 1)
    return "".join(f"{i}\r\n00:00:0{i},000 --> 00:00:0{i},900\r\n{line}\r\n\r\n" for i, line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_known_by_its_mark_or_its_arrows(encoding: str) -> None:
    decoded = decode(srt(FRENCH).encode(encoding))
    assert decoded.text.removeprefix("\ufeff") == srt(FRENCH)
    assert decoded.guessed is None


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", FRENCH),
        ("cp1252", "¿Dónde estás? ¡Mañana vendrá el niño!"),
        ("cp1251", "Привет, как дела?\nЯ очень люблю тебя"),
        ("koi8_r", "Привет, как дела?\nЯ очень люблю тебя\nГде ты был вчера?"),
        ("cp1250", "Gdzie byłeś wczoraj?\nBardzo się cieszę, że cię widzę\nZażółć gęślą jaźń"),
        ("cp1253", "Πού ήσουν χθες;\nΧαίρομαι που σε βλέπω"),
        ("gb18030", "你昨天在哪里？\n我很高兴见到你"),
        ("big5", "你昨天在哪裡？\n我很高興見到你"),
        ("cp932", "昨日どこにいましたか？\n会えてうれしいです"),
        ("cp949", "어제 어디 있었어?\n만나서 정말 반가워요"),
    ],
)
def test_other_encodings_are_detected(encoding: str, text: str) -> None:
    decoded = decode(srt(text).encode(encoding))
    assert decoded.text == srt(text)
    assert decoded.guessed == encoding


@pytest.mark.parametrize(
    ("language", "encoding", "text"),
    [
        ("cs", "cp1250", "Kde jsi byl včera?"),
        ("tur", "cp1254", "Dün neredeydin? Çok üzgünüm, değil mi şimdi"),
    ],
)
def test_the_language_decides_between_similar_encodings(language: str, encoding: str, text: str) -> None:
    assert decode(srt(text).encode(encoding), language).text == srt(text)


def test_damaged_utf_8_stays_utf_8() -> None:
    decoded = decode(srt(FRENCH).encode() + "é".encode()[:1])
    assert decoded.text == srt(FRENCH) + "\ufffd"
    assert decoded.guessed is None


@pytest.mark.parametrize("data", [b"\xff\xfe1", bytes(range(256)) * 40], ids=["half a character", "no text"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidField) as caught:
        decode(data)
    assert caught.value.field == "captions"
