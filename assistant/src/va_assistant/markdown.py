"""Blocks of Markdown, each with the headings above it; pure.

Only what tells which lines belong together: paragraphs, lists and tables stand between blank lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_HEADING = 200
"""Characters of a line; what is longer is a paragraph, whatever it begins with."""

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)\s*$")
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
        heading = _HEADING.match(line) if len(line) <= LONGEST_HEADING else None
        level, title = (len(heading.group(1)), heading.group(2)) if heading else (0, "")
        if block and len(block.lines) == 1 and _UNDERLINE.match(line) and "|" not in block.lines[0]:
            level, title = (1 if "=" in line else 2), block.lines[0].strip()
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
