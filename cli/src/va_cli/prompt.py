"""The prompt of a chat: editing, history and pasted lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings

from va_cli.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_toolkit.key_binding.key_processor import KeyPressEvent


class PromptedLines:
    """Questions that a person types; what is pasted stays one question."""

    def __init__(self, *, asked_before: Sequence[str], commands: Sequence[str]) -> None:
        """Let the arrow keys bring back what was asked, and Tab complete commands."""
        # Multi-line, so that pasted lines are shown as lines; Enter sends all the same.
        self._session: PromptSession[str] = PromptSession(
            multiline=True,
            key_bindings=_keys(),
            prompt_continuation="  ",
            completer=WordCompleter(commands, sentence=True),
            complete_while_typing=False,
            history=InMemoryHistory([plain(question) for question in asked_before]),
        )

    def read(self, label: str) -> str:
        """Return the next question; Ctrl-C empties the line."""
        while True:
            try:
                return self._session.prompt(f"{label}> ")
            except KeyboardInterrupt:
                continue


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys
