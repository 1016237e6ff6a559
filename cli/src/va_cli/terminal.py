"""What is written to the terminal: plain text, notes, colour and a sign of life."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from va_cli.settings import Settings

SPINNER_AFTER_SECONDS = 0.3
"""What is quicker needs no sign of life."""

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}

_STRING = r"(?:\x1b[\]P^_X]|[\x90\x98\x9d\x9e\x9f])[^\x00-\x09\x0b-\x1f\x7f\x9c\n]"
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, screen
    rf"|{_STRING}*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS and their kind: titles, clipboard
    r"|\x1b[ -/]*[0-~]"  # two characters
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # what is left of them, and other controls
    r"|[\u202a-\u202e]"  # embeddings and overrides, which turn letters around
)
_UNFINISHED = re.compile(
    rf"(?:(?:\x1b\[|\x9b)[0-?]{{0,64}}[ -/]{{0,8}}|{_STRING}{{0,1024}}\x1b?|\x1b[ -/]{{0,8}})\Z"
)


class EscapeFilter:
    """Takes terminal codes out of a text that comes in pieces.

    What a model writes must not move the cursor, change the title or fill the
    clipboard of who asks. A code that a piece may have begun waits for the next.
    """

    def __init__(self) -> None:
        self._held = ""

    def clean(self, piece: str) -> str:
        """Return what may be shown so far."""
        text = self._held + piece
        unfinished = _UNFINISHED.search(text)
        end = unfinished.start() if unfinished else len(text)
        self._held = text[end:]
        return _ESCAPES.sub("", text[:end])

    def rest(self) -> str:
        """Return what waited in vain."""
        held, self._held = self._held, ""
        return _ESCAPES.sub("", held)


def plain(text: str) -> str:
    """Return the text without terminal codes."""
    return _ESCAPES.sub("", text)


def one_line(text: str) -> str:
    """Return the text without terminal codes and line ends."""
    return " ".join(plain(text).split())


def use_colour(stream: TextIO, settings: Settings) -> bool:
    """Say whether that stream gets colour: as the user wants, else if it is a terminal."""
    if settings.colour is not None:
        return settings.colour
    return stream.isatty() and not settings.plain_terminal


def paint(text: str, colour: str, *, on: bool) -> str:
    """Return the text in that colour."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if on else text


class Notes:
    """What is said beside the answer, on stderr.

    A stage that lasts is shown with a spinner, on terminals only.
    """

    def __init__(self, stream: TextIO, *, verbose: bool, lively: bool) -> None:
        self._stream = stream
        self._verbose = verbose
        self._lively = lively
        self._lock = threading.Lock()
        self._stage: str | None = None
        self._shown = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.quiet()
        self._wake.set()
        if self._thread:
            self._thread.join()

    def say(self, line: str) -> None:
        """Write a line that every user needs."""
        with self._lock:
            self._erase()
            self._stream.write(f"va: {plain(line)}\n")
            self._stream.flush()

    def detail(self, line: str) -> None:
        """Write a line for those who asked for it with -v."""
        if self._verbose:
            self.say(line)

    def stage(self, stage: str) -> None:
        """Show what is being waited for, if it lasts."""
        if not self._lively:
            return
        with self._lock:
            self._stage = plain(stage)
        if self._thread is None:
            self._thread = threading.Thread(target=self._spin, daemon=True)
            self._thread.start()

    def quiet(self) -> None:
        """Take the sign of life off the screen."""
        with self._lock:
            self._stage = None
            self._erase()

    def _erase(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False

    def _spin(self) -> None:
        turn, pause = 0, SPINNER_AFTER_SECONDS
        while not self._wake.wait(pause):
            pause = 0.1
            with self._lock:
                if self._stage is not None:
                    frame = _FRAMES[turn % len(_FRAMES)]
                    self._stream.write(f"\r\x1b[K{frame} {self._stage}")
                    self._stream.flush()
                    self._shown = True
            turn += 1
