"""Secrets taken out of what a model server says."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.completions import Piece, Usage
from va_assistant.redaction import redacted, redacted_stream

KEY = "sk-abab-abab-abac"
LONGER = f"{KEY}-of-the-proxy"


def streamed(*texts: str, secrets: tuple[str | None, ...] = (KEY, None)) -> list[Piece]:
    pieces = [*(Piece(text=text) for text in texts), Piece(finish_reason="stop", usage=Usage())]
    return list(redacted_stream(pieces, secrets))


def test_a_key_is_taken_out_and_nothing_else() -> None:
    assert redacted(f"It is {KEY}, {KEY}.", [KEY, None]) == "It is …, …."
    assert redacted("It is sk-abab-abab.", [KEY]) == "It is sk-abab-abab."


def test_of_two_secrets_the_longer_one_goes_first() -> None:
    assert redacted(f"{LONGER} {KEY}", [KEY, LONGER]) == "… …"


@pytest.mark.parametrize("stand_in", ["none", "ollama", "EMPTY"])
def test_a_stand_in_for_a_key_is_a_word_like_others(stand_in: str) -> None:
    assert redacted(f"There is {stand_in}.", [stand_in]) == f"There is {stand_in}."


@given(
    before=st.text("ab-s k", max_size=12),
    after=st.text("abc-s k", max_size=12),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_however_a_stream_is_cut_no_key_gets_through(
    before: str, after: str, cuts: list[int]
) -> None:
    said = f"{before}{KEY}{after}"
    edges = sorted({0, len(said), *(cut % (len(said) + 1) for cut in cuts)})
    pieces = streamed(*(said[start:end] for start, end in pairwise(edges)))
    assert "".join(piece.text for piece in pieces) == redacted(said, [KEY])
    assert [piece.finish_reason for piece in pieces if piece.finish_reason] == ["stop"]
    assert pieces[-1].finish_reason
    assert all(piece.text for piece in pieces[:-1])


def test_what_cannot_become_a_secret_does_not_wait() -> None:
    assert [piece.text for piece in streamed("Ada had", " the cello.")] == [
        "Ada had",
        " the cello.",
        "",
    ]


def test_without_a_secret_pieces_stay_what_they_are() -> None:
    assert [piece.text for piece in streamed("sk", "-", secrets=(None,))] == ["sk", "-", ""]
