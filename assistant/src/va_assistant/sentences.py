"""Running text cut into sentences; pure."""

import re

_ABBREVIATIONS = frozenset(
    """
    dr mr mrs ms prof st no nr vs etc e.g i.e approx inc ltd co corp dept tel fig vol ext
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun z.b u.a ca
    bzw a.m p.m min max incl excl art str
    """.split()
)
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]*_]*+\s+|[。！？]")
_LAST_WORD = 20
"""Characters before an end that tell an abbreviation."""

LONGEST_PIECE = 1000
"""Characters of a sentence that are looked at as a whole: patterns look far ahead in it."""


def sentences_in(text: str) -> list[tuple[int, str]]:
    """Return the sentences of running text, each with where it begins."""
    found: list[tuple[int, str]] = []
    start = 0
    for match in _END.finditer(text):
        size = match.start() - start
        words = text[max(start, match.start() - _LAST_WORD) : match.start()].split()
        last = words[-1] if words else ""
        follows = text[match.end() : match.end() + 1]
        if match.group().startswith(".") and (
            last.lower().lstrip("(\"'") in _ABBREVIATIONS
            or (len(last) == 1 and last.isupper())
            or (last.isdigit() and len(last) < 3 and size < 4)
            or follows.islower()
        ):
            continue
        sentence = text[start : match.end()].strip()
        if sentence:
            found.append((start, sentence))
        start = match.end()
    rest = text[start:].strip()
    if rest:
        found.append((start, rest))
    return found


def pieces(text: str) -> list[str]:
    """Return a sentence in parts that are not long, cut between words where it has any."""
    found = []
    while len(text) > LONGEST_PIECE:
        cut = max(text.rfind(space, LONGEST_PIECE // 2, LONGEST_PIECE + 1) for space in " \n")
        cut = LONGEST_PIECE if cut < 0 else cut
        found.append(text[:cut])
        text = text[cut:].lstrip()
    return [*found, text] if text else found
