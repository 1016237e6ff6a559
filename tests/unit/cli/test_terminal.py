"""What reaches the terminal: no foreign codes, spinners only where they help."""

from __future__ import annotations

import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.assistant_stub import SECONDS
from va_cli.settings import Settings
from va_cli.terminal import EscapeFilter, Notes, plain, use_colour


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hx", "x"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]52;c;Y2xpcA==\x1b\\x", "x"),
        ("\x1bP1$r\x1b\\x", "x"),
        ("\x9b31mx", "x"),
        ("\x9d0;t\x9cx", "x"),
        ("\x1b(0x\x1bcx", "xx"),
        ("a\rb\x00c\x08d\x7fe", "abcde"),
        ("tab\tline\nend", "tab\tline\nend"),
        ("\x1b]0;never ended\nthe answer", "0;never ended\nthe answer"),
        ("user\u202etxt.exe\u202c", "usertxt.exe"),
        ("grüße — 你好 \U0001f600", "grüße — 你好 \U0001f600"),
    ],
)
def test_terminal_codes_are_taken_out(hostile: str, harmless: str) -> None:
    assert plain(hostile) == harmless
    codes = EscapeFilter()
    assert codes.clean(hostile) + codes.rest() == harmless


@given(
    st.lists(st.text(st.sampled_from("\x1b\x9b\x9d\x07\x9c[]\\0;mJa \n\r"), max_size=8), max_size=8)
)
def test_pieces_make_no_difference(pieces: list[str]) -> None:
    codes = EscapeFilter()
    shown = "".join(codes.clean(piece) for piece in pieces) + codes.rest()
    assert shown == plain("".join(pieces))


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=40))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not {c for c in plain(text) if ord(c) < 32 or 127 <= ord(c) < 160} - {"\n", "\t"}


def test_text_without_codes_does_not_wait() -> None:
    assert EscapeFilter().clean("Ada works ") == "Ada works "


class Screen(io.StringIO):
    """A terminal that tells when something is on it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def test_a_stage_that_lasts_is_shown_and_taken_away() -> None:
    screen = Screen()
    with Notes(screen, verbose=False, lively=True) as notes:
        notes.stage("finding 'ada'\x1b[2J")
        assert screen.getvalue() == "", "what is quick shows nothing"
        assert screen.written.wait(SECONDS)
        notes.say("a note")
    assert "⠋ finding 'ada'" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()
    assert "\r\x1b[Kva: a note\n" in screen.getvalue()


def test_no_sign_of_life_where_nobody_looks() -> None:
    screen = Screen()
    with Notes(screen, verbose=False, lively=False) as notes:
        notes.stage("finding")
        notes.detail("a detail")
    assert screen.getvalue() == ""


@pytest.mark.parametrize(
    ("environment", "terminal", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"CI": "true"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"CLICOLOR": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_who_gets_colour(environment: dict[str, str], terminal: bool, colour: bool) -> None:
    stream = Screen() if terminal else io.StringIO()
    assert use_colour(stream, Settings.from_environment({"HOME": "/", **environment})) is colour
