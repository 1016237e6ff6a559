"""Texts cut into passages that can be cited; pure.

A passage is what belongs together: a paragraph, a list with the line that opens it, a table,
a question with its answer. Below it stand sentences, each with the line it begins on, and what
must be read with it: the headings above, the question that it answers, the line before a list.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from va_assistant import signs
from va_assistant.markdown import LONGEST_HEADING, Block, blocks, plain
from va_assistant.revision import ContextFile
from va_assistant.sentences import LONGEST_PIECE, pieces, sentences_in

TITLE_LINES = 3
"""Lines that a title in bold has at most."""

PASSAGE_CHARACTERS = 900
"""A block longer than this is cut into several passages, between its sentences."""

_ITEM = re.compile(r"^(\s*)(?:[-*+•–]|\d{1,3}[.)])\s+(?=\S)")
_TABLE_RULE = re.compile(r"(?=[^-]*-)[\s:|-]*")
_QUESTION_LABEL = re.compile(r"^(?:q|question|f|frage)\s*\d*\s*[:.)]\s*", re.IGNORECASE)
_ANSWER_LABEL = re.compile(r"^(?:a|answer|antwort)\s*\d*\s*[:.)]\s*", re.IGNORECASE)
_TITLE = re.compile(r"^(?:\*\*|__)[^*_]{3,}(?:\*\*|__)[^.!?:]*(?<![,;])$")
"""A line that begins in bold and ends without a stop: the title of what follows."""

_TOPIC = re.compile(r"^(?:\*\*|__)([^*_?]{3,60})(?:\*\*|__)")
_FIELD = re.compile(r"^[^\s.!?][^.!?:]{0,40}:\s+\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """The smallest part of a text that can answer, and be cited."""

    file: str
    line: int
    """Counted from 1."""

    text: str
    """Without the marks of Markdown; a row of a table has its columns' names."""

    headings: tuple[str, ...] = ()
    """From the outermost to the nearest."""

    intro: str = ""
    """The question that it answers, or the line that opens its list."""

    topic: str = ""
    """What its item or paragraph is about: the words in bold that open it."""

    cells: str = ""
    """Of a row, its cells without the names of their columns."""

    has_currency: bool = False
    """The text says once in which money its bare numbers are."""

    is_question: bool = False
    is_heading: bool = False
    statement: int = 0
    """The line on which its paragraph or its item begins."""

    in_list: bool = False
    """An item of a list or a row of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Sentences that belong together."""

    file: str
    first_line: int
    last_line: int
    headings: tuple[str, ...]
    sentences: tuple[Sentence, ...]


def passages_of(files: Iterable[ContextFile]) -> tuple[Passage, ...]:
    """Return all passages of the texts, in their order."""
    return tuple(passage for file in files for passage in _of_file(file))


def alone(sentence: Sentence) -> Passage:
    """Return a sentence as a passage of its own."""
    return Passage(
        file=sentence.file,
        first_line=sentence.line,
        last_line=sentence.line,
        headings=(),
        sentences=(replace(sentence, is_heading=False),),
    )


def _of_file(file: ContextFile) -> Iterator[Passage]:
    headings: tuple[str, ...] = ()
    question = opener = ""
    """A question that stands in a block before its answer; a line before its list."""
    has_currency = bool(signs.CURRENCY.search(file.text))
    for block in blocks(file.text):
        sentences = list(_sentences(file.name, block, has_currency))
        if not sentences:
            continue
        if block.heading_line and _says_something(block.headings[-1]):
            heading = Sentence(
                file=file.name,
                line=block.heading_line,
                text=block.headings[-1],
                headings=block.headings[:-1],
                is_heading=True,
                has_currency=has_currency,
            )
            sentences.insert(0, heading)
        if block.headings != headings:
            headings, opener = block.headings, ""
            question = headings[-1] if headings and headings[-1].endswith("?") else ""
        first, last = (
            sentences[-1 if len(sentences) == 1 else int(sentences[0].is_heading)],
            sentences[-1],
        )
        intro = opener if opener and first.in_list else question
        if not any(s.is_question for s in sentences):
            sentences = [
                s if s.intro or s.is_heading or not intro else replace(s, intro=intro)
                for s in sentences
            ]
        else:
            question = last.text if last.is_question else ""
        if not last.in_list:
            opener = last.text if last.text.endswith(":") else ""
        yield from _passages(file.name, block, sentences)


def _passages(file: str, block: Block, sentences: Sequence[Sentence]) -> Iterator[Passage]:
    part: list[Sentence] = []
    size = 0
    parts: list[list[Sentence]] = []
    for sentence in sentences:
        if part and size + len(sentence.text) > PASSAGE_CHARACTERS:
            parts.append(part)
            part, size = [], 0
        part.append(sentence)
        size += len(sentence.text)
    parts.append(part)
    end = block.first + len(block.lines) - 1
    for at, part in enumerate(parts):
        last = parts[at + 1][0].line - 1 if at + 1 < len(parts) else end
        yield Passage(
            file=file,
            first_line=part[0].line,
            last_line=max(last, part[-1].line),
            headings=block.headings,
            sentences=tuple(part),
        )


def _sentences(file: str, block: Block, has_currency: bool) -> Iterator[Sentence]:
    """Return the sentences of a block: of its rows, its items or its running text."""
    if sum("|" in line for line in block.lines) == len(block.lines) > 1:
        yield from _rows(file, block, has_currency)
        return
    intro = ""
    for number, text, in_list in _statements(block):
        labelled_question = _QUESTION_LABEL.match(text)
        if labelled_question:
            text = text[labelled_question.end() :]
        elif answer := _ANSWER_LABEL.match(text):
            text = text[answer.end() :]
        line = number
        counted = 0
        opening = _TOPIC.match(text)
        topic = plain(opening.group(1)) if opening else ""
        before = 0
        for start, sentence in _short_sentences(text):
            line += text.count("\n", before, start)
            before = start
            shown = plain(sentence)
            if not shown:
                continue
            asks = shown.endswith("?") or (bool(labelled_question) and not counted)
            counted += 1
            yield Sentence(
                file=file,
                line=line,
                text=shown,
                headings=block.headings,
                intro="" if asks else intro,
                topic=topic,
                is_question=asks,
                statement=number,
                in_list=in_list,
                has_currency=has_currency,
            )
            if asks or (shown.endswith(":") and not in_list) or _is_title(text):
                intro = shown


def _says_something(heading: str) -> bool:
    """Tell whether a heading is more than a label, as `Engineer, Acme (2015-2020)` is."""
    return not heading.endswith("?") and (
        bool(re.search(r"\d", heading)) or len(heading.split()) > 3
    )


def _is_title(text: str) -> bool:
    return len(text) <= LONGEST_HEADING and bool(_TITLE.match(text))


def _short_sentences(text: str) -> Iterator[tuple[int, str]]:
    """Return the sentences of a text, each with where its first word begins; none is long."""
    for start, sentence in sentences_in(text):
        at = text.index(sentence[0], start)
        for piece in pieces(sentence):
            at = text.index(piece[0], at)
            yield at, piece
            at += len(piece)


def _statements(block: Block) -> Iterator[tuple[int, str, bool]]:
    """Return items and fields of their own, and running text joined over its lines."""
    at, in_list = block.first, False
    said: list[str] = []
    verse = _is_verse(block.lines)
    for number, line in enumerate(block.lines, block.first):
        item = _ITEM.match(line)
        bare = line[item.end() :] if item else line.strip().removeprefix(">").strip()
        new = (
            item
            or (_FIELD.match(plain(bare[:LONGEST_HEADING])) and not in_list)
            or _QUESTION_LABEL.match(bare)
            or _ANSWER_LABEL.match(bare)
            or line.endswith("  ")
            or (said and (verse or _opens(said)))
        )
        if new and said:
            yield at, "\n".join(said), in_list
            said = []
        if not said:
            at, in_list = number, bool(item)
        if said or bare:
            said.append(bare)
    if said:
        yield at, "\n".join(said), in_list


def _opens(said: Sequence[str]) -> bool:
    """Tell whether lines end what they begin: with a question, a colon, or as a title."""
    return said[-1].rstrip("*_ ").endswith(("?", ":")) or (
        len(said) <= TITLE_LINES and _is_title("\n".join(said))
    )


def _is_verse(lines: Sequence[str]) -> bool:
    """Tell whether the lines end where they do on purpose, as those of an address do."""
    return max(map(len, lines)) < 50 and not any(
        _ITEM.match(line) or re.search(r"[.!?]\s|,$", line) or following.strip()[:1].islower()
        for line, following in pairwise(lines)
    )


def _rows(file: str, block: Block, has_currency: bool) -> Iterator[Sentence]:
    names: list[str] = []
    intro = ""
    has_names = any(map(_TABLE_RULE.fullmatch, block.lines))
    for number, line in enumerate(block.lines, block.first):
        if _TABLE_RULE.fullmatch(line):
            continue
        cells = [plain(cell) for cell in line.strip().strip("|").split("|")]
        if not names and has_names:
            names = cells
            intro = ", ".join(filter(None, names))[:LONGEST_PIECE]
            continue
        named = [
            f"{name}: {cell}" if name and at else cell
            for at, (cell, name) in enumerate(zip(cells, names or [""] * len(cells), strict=False))
            if cell
        ]
        told = pieces("; ".join(named))
        for piece in told:
            yield Sentence(
                file=file,
                line=number,
                text=piece,
                headings=block.headings,
                intro=intro,
                cells="; ".join(filter(None, cells)) if len(told) == 1 else "",
                statement=number,
                in_list=True,
                has_currency=has_currency,
            )
