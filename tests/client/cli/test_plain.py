"""Text from outside is printed as it is, and never acts on the terminal."""

import io

import pytest

from etbgm_cli.plain import PlainConsole, labelled, printable


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("holiday [1080p].mp4", "holiday [1080p].mp4"),
        ("[/b] [red]a\\[b] \\", "[/b] [red]a\\[b] \\"),
        (":heart: 日本 é 👩‍🚀", ":heart: 日本 é 👩‍🚀"),
        ("narrow\u202fspace", "narrow\u202fspace"),
        ("two\nlines\tand\rmore", r"two\nlines\tand\rmore"),
        ("\x1b[31mred\x07\x7f\x9b", r"\x1b[31mred\x07\x7f\x9b"),
        ("not utf-8: \udcff", r"not utf-8: \xff"),
        ("gpj.\u202e4pm", r"gpj.\u202e4pm"),
        ("line\u2028separator", r"line\u2028separator"),
    ],
)
def test_only_control_characters_are_escaped(text: str, printed: str) -> None:
    assert printable(text) == printed
    for each in (text, labelled("", "", text)):
        out = io.StringIO()
        PlainConsole(file=out).print(each)
        assert out.getvalue() == f"{printed}\n"


def test_a_label_has_a_style_on_a_terminal_and_the_text_has_none() -> None:
    out = io.StringIO()
    PlainConsole(file=out, force_terminal=True, color_system="standard").print(
        labelled("error: ", "red", "[bold]\x1b[1m")
    )
    assert out.getvalue() == "\x1b[31merror: \x1b[0m[bold]\\x1b[1m\n"
