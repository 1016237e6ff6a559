"""Running text cut into sentences; pure."""

import re

_ABBREVIATIONS = frozenset(
    """
    dr mr mrs ms prof st no nr vs etc e.g i.e approx inc ltd co corp dept tel fig vol ext
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun z.b u.a ca
    bzw a.m p.m min max incl excl art str
    """.split()
)
_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*\s+|[。！？]")


def sentences_in(text: str) -> list[tuple[int, str]]:
    """Return the sentences of running text, each with where it begins."""
    found: list[tuple[int, str]] = []
    start = 0
    for match in _END.finditer(text):
        before = text[start : match.start()]
        last = before.rsplit(None, 1)[-1] if before.strip() else ""
        follows = text[match.end() : match.end() + 1]
        if match.group().startswith(".") and (
            last.lower().lstrip("(\"'") in _ABBREVIATIONS
            or (len(last) == 1 and last.isupper())
            or (last.isdigit() and len(last) < 3 and len(before) < 4)
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
