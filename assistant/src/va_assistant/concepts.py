"""Words that people use for each other when they ask, looked up; pure.

They stand in `concepts.txt`, which says how it is read. Terms are words as `stem` leaves them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from va_assistant.stemming import stem

_NONE: frozenset[str] = frozenset()


class _Lexicon(NamedTuple):
    mates: Mapping[str, frozenset[str]]
    kinds: Mapping[str, frozenset[str]]
    wider: Mapping[str, frozenset[str]]


def mates(term: str) -> frozenset[str]:
    """Return the other terms that may be meant by this one."""
    return _lexicon().mates.get(term, _NONE)


def kinds_of(term: str) -> frozenset[str]:
    """Return the terms that name a kind of what this one means."""
    return _lexicon().kinds.get(term, _NONE)


def wider(term: str) -> frozenset[str]:
    """Return the terms that this one names a kind of: a doctorate is a degree."""
    return _lexicon().wider.get(term, _NONE)


def known(term: str) -> bool:
    """Tell whether a term is one of the lexicon."""
    return term in _lexicon().mates


def words() -> set[str]:
    """Return all words of the lexicon as they are spelt."""
    return {word for wide, narrow in _groups() for word in (*wide, *narrow)}


@cache
def _lexicon() -> _Lexicon:
    mates: dict[str, set[str]] = {}
    kinds: dict[str, set[str]] = {}
    wider: dict[str, set[str]] = {}
    for group in _groups():
        wide, narrow = ({stem(word) for word in side} for side in group)
        for term in wide:
            mates.setdefault(term, set()).update((wide | narrow) - {term})
            if narrow:
                kinds.setdefault(term, set()).update(narrow)
        for term in narrow:
            mates.setdefault(term, set()).update(wide - {term})
            wider.setdefault(term, set()).update(wide)
    return _Lexicon(*map(_frozen, (mates, kinds, wider)))


def _frozen(table: Mapping[str, set[str]]) -> Mapping[str, frozenset[str]]:
    return {term: frozenset(terms) for term, terms in table.items()}


def _groups() -> Iterator[tuple[list[str], list[str]]]:
    """Return the wide and the narrow words of each group; most groups have wide ones only."""
    text = files("va_assistant").joinpath("concepts.txt").read_text("ascii")
    lines = (line for line in text.replace("-", "").splitlines() if not line.startswith("#"))
    for group in "\n".join(lines).replace("\n  ", " ").splitlines():
        wide, _, narrow = group.partition(">")
        yield wide.split(), narrow.split()
