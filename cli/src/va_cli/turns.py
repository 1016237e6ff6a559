"""What was said in a conversation, kept within what an assistant takes; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from va_cli.questions import LARGEST_QUESTION

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TURNS = 12
"""Assistants look at no more: six questions with their answers (docs/reference/http.md)."""

ASKER, ASSISTANT = "user", "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side said."""

    role: str
    """`user` or `assistant`, as the interface calls them."""

    text: str


def with_exchange(turns: Sequence[Turn], question: str, answer: str) -> tuple[Turn, ...]:
    """Return the conversation with one more question and its answer, no longer than is of use.

    A character that no assistant would take back (NUL, half of a surrogate pair) is
    replaced: else one strange answer would end the conversation for good.
    """
    exchange = (
        Turn(role=ASKER, text=_sendable(question)),
        Turn(role=ASSISTANT, text=_sendable(answer)),
    )
    return fitting((*turns, *exchange), "")


def fitting(turns: Sequence[Turn], question: str) -> tuple[Turn, ...]:
    """Return the last exchanges that may be sent with this question, whole ones only."""
    room = LARGEST_QUESTION - len(question.encode())
    first = len(turns)
    while first >= 2 and len(turns) - first < MOST_TURNS:
        room -= sum(len(turn.text.encode()) for turn in turns[first - 2 : first])
        if room < 0:
            break
        first -= 2
    return tuple(turns[first:])


def _sendable(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()
