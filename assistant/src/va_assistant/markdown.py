"""Blocks of Markdown, each with the headings above it, and the headings alone; pure.

Only what tells which lines belong together: paragraphs, lists and tables stand between blank lines.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST_HEADING = 200
"""Characters of a line; what is longer is a paragraph, whatever it begins with."""

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_PARAGRAPH = re.compile(r"\s*$|\s*[-*+>|#<]|\s*\d+[.)]\s")
_RULE = re.compile(r"^ {0,3}([-*_])(?:\s*\1){2,}\s*$")
_MARKUP = re.compile(
    r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)"
    r"|!?\[([^\]]{0,300}+)\]\(([^)\s]{0,500}+)[^)]{0,300}+\)"
)
_MARKS = re.compile(r"[*_`\[]")


@dataclass(slots=True)
class Block:
    """Lines that stand together, with the number of the first."""

    first: int
    lines: list[str]
    headings: tuple[str, ...]
    heading_line: int = 0
    """Line of the nearest heading, if this is the first block below it."""


def blocks(text: str) -> Iterator[Block]:
    """Cut a text at blank lines and headings; items of one list stay together."""
    headings: list[tuple[int, str]] = []
    heading_line = 0
    block: Block | None = None
    for number, line in enumerate(text.split("\n"), 1):
        level, title = _heading(line)
        if block and _may_be_heading(block.lines) and _underlined(line):
            level, title = _underlined(line), block.lines[0].strip()
            block = None
        ends = level or not line.strip() or _RULE.match(line)
        if ends and block:
            yield block
            block = None
        if level:
            headings = [(at, name) for at, name in headings if at < level]
            headings.append((level, plain(title)))
            heading_line = number
        elif ends:
            continue
        elif block:
            block.lines.append(line)
        else:
            block = Block(number, [line], tuple(name for _, name in headings), heading_line)
            heading_line = 0
    if block:
        yield block


def headings_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield level and text of each heading: Markdown's two ways, one of which is also reST's."""
    fence = ""
    above = ""
    for line in text.splitlines():
        if len(line) > LONGEST_HEADING:
            above = ""
        elif opened := _FENCE.match(line):
            mark = opened[1]
            if not fence:
                fence = mark
            elif mark.startswith(fence):
                fence = ""
            above = ""
        elif not fence:
            level, title = _heading(line)
            if level:
                yield level, title
            elif above and (level := _underlined(line)):
                yield level, above
            above = "" if _NO_PARAGRAPH.match(line) else line


def _heading(line: str) -> tuple[int, str]:
    """Return level and text of a line that is a heading; level 0 for others."""
    found = _HEADING.match(line) if len(line) <= LONGEST_HEADING else None
    return (len(found[1]), found[2]) if found else (0, "")


def _may_be_heading(lines: Sequence[str]) -> bool:
    """Tell whether lines would be a heading with another line below them."""
    return len(lines) == 1 and len(lines[0]) <= LONGEST_HEADING and "|" not in lines[0]


def _underlined(line: str) -> int:
    """Return the level of the heading above a line that underlines it; 0 for other lines."""
    found = _UNDERLINE.match(line)
    return 0 if not found else 1 if found[1].startswith("=") else 2


def plain(text: str) -> str:
    """Return a line of Markdown without its marks; a link keeps its text and address."""

    def shown(match: re.Match[str]) -> str:
        label, address = match.group(1), match.group(2)
        if label is None:
            return ""
        address = (address or "").removeprefix("mailto:")
        return (
            label
            if not address or address in label or address[0] in "#/."
            else f"{label} ({address})"
        )

    if _MARKS.search(text):
        text = _MARKUP.sub(shown, text)
    return " ".join(text.split())
