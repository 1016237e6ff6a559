"""What an assistant says of itself: its name, and what it can be asked; pure."""

import re
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

from va_assistant.markdown import headings_of
from va_assistant.revision import ContextFile, Revision

MAX_EXAMPLES = 6
MAX_EXAMPLE_CHARACTERS = 60
"""A longer heading is a sentence of the text, and no question that somebody would ask."""

_POD_NAME = re.compile(r"(.+)-[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}")
"""A Deployment's pod: its name, the template's hash, five characters; in the alphabet of
Kubernetes' `rand.SafeEncodeString`."""

_LONGEST_NAME = 46
"""Kubernetes cuts a generated name at 58 characters (`names.maxGeneratedNameLength`), and
with it the hash's end: of a longer name nothing is sure."""

_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?")
_MARKUP = re.compile(r"(?<!\w)[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}(?!\w)|<[^>]*>")
_NUMBER = re.compile(r"(?:\d+(?:\.\d+)*[.)]?|[A-Z]\.)\s+")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f", "\u055e")
"""Of Latin, Chinese, Arabic and Armenian script."""


def about(revision: Revision, *, name: str) -> dict[str, Any]:
    """Return what `GET /about` answers; `name` is empty where the assistant has none."""
    return {
        "name": name,
        "model": revision.model.name,
        "revision": revision.name,
        "files": [file.name for file in revision.files],
        "examples": list(example_questions(revision.files)),
    }


def name_of_pod(pod: str) -> str:
    """Return the assistant that a pod belongs to, by the pod's name; empty where that is unsure.

    The Deployment has the name of its assistant.
    """
    found = _POD_NAME.fullmatch(pod)
    return found[1] if found and len(found[1]) <= _LONGEST_NAME else ""


def example_questions(files: Sequence[ContextFile]) -> tuple[str, ...]:
    """Return questions that the texts answer, made from their headings.

    A heading becomes a question by its mark alone ("Opening hours?"): that is right in
    every language. Each file has its say before one has its second. A title stands
    for a whole text, so it is left out where there are headings below it.
    """
    questions: dict[str, str] = {}
    by_file = [[_question(text) for text in _topics(file.text)] for file in files]
    for question in chain.from_iterable(zip_longest(*by_file, fillvalue="")):
        if question and len(question) <= MAX_EXAMPLE_CHARACTERS:
            questions.setdefault(question.casefold(), question)
    return tuple(questions.values())[:MAX_EXAMPLES]


def _topics(text: str) -> list[str]:
    headings = list(headings_of(text))
    top = min((level for level, _ in headings), default=0)
    titles = [heading for level, heading in headings if level == top]
    if len(titles) == 1:
        return [heading for level, heading in headings if level > top] or titles
    return [heading for _, heading in headings]


def _question(heading: str) -> str:
    """Return a heading without markup and number, as a question; empty where nothing is left."""
    plain = _MARKUP.sub("", _LINK.sub(r"\1", heading))
    words = " ".join(_NUMBER.sub("", " ".join(plain.split()), count=1).split())
    words = words.rstrip(":.,;…").rstrip()
    if not any(character.isalpha() for character in words) or not words.isprintable():
        return ""
    return words if words.endswith(_QUESTION_MARKS) else f"{words}?"
