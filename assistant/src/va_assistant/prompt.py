"""What a model is told: rules first and always the same, the question last.

Pure. The bytes before the user's message are made once per model of a revision: a provider's
prefix cache finds them, and no question can reach into them. The text stands there too where a
model gets all of it; a model that gets passages finds them in the user's message, before the
question.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from va_assistant.passages import Passage
from va_assistant.questions import Turn
from va_assistant.revision import ContextFile, ContextMode, ModelSettings, Provider, Revision

RULES = (
    "Use only the facts in the text to answer. "
    'If a fact is not in the text, say "The text does not say that."'
)
REMINDER = "Answer in one short sentence, using only the text."
"""A small model forgets what it was told before a long text."""

ASSUMED_WINDOW = 128_000
"""Tokens that a large model is thought to take where nothing is said."""

BYTES_PER_TOKEN = 3
"""Fewer than most texts have (English about 4), so that what is sent whole does fit."""

ROOM_FOR_ANSWER = 2048
"""Tokens left for the question and the answer, where no limit is set."""

_json = json.JSONEncoder(ensure_ascii=False).encode
"""As `json.dumps`, which makes an encoder for each text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question as any model may be asked it; each prompt takes of it what it needs."""

    question: str
    history: tuple[Turn, ...] = ()
    passages: tuple[Passage, ...] = ()


MINIMAL = Query(question="Hi")
"""To find out whether a model answers at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The fixed part of every request of a revision to one model."""

    messages: bytes
    """JSON of the messages before the question, with the bracket that opens the list."""

    is_whole: bool
    """The whole text is in it; else each question brings its passages."""

    def request(self, parameters: bytes, query: Query) -> bytes:
        """Return the body of a request; `parameters` is a JSON object, not an empty one."""
        return b"".join(
            (
                parameters[:-1],
                b', "messages": ',
                self.messages,
                b', {"role": "user", "content": ',
                _json(self._user_message(query)).encode(),
                b"}]}",
            )
        )

    def _user_message(self, query: Query) -> str:
        """Return passages, conversation and question, all that a client can have a say in.

        What a client tells of the conversation is its own word, also where it says that the
        assistant said it: none of it becomes a message of another role.
        """
        parts = []
        if not self.is_whole and query.passages:
            parts.append(fenced(map(_shown, query.passages)))
        if query.history:
            said = "\n".join(f"{turn.role}: {turn.text}" for turn in query.history)
            parts.append(f"Said before:\n{said}")
        parts.append(query.question if not parts else f"Question: {query.question}")
        if not self.is_whole and query.passages:
            parts.append(REMINDER)
        return "\n\n".join(parts)


def build_prompt(revision: Revision, model: ModelSettings) -> Prompt:
    """Return the prompt of a revision for one of its models."""
    is_whole = sends_whole(revision, model)
    message = {"role": "system", "content": system_message(revision, whole=is_whole)}
    messages = json.dumps([message], ensure_ascii=False).encode()
    return Prompt(messages=messages.removesuffix(b"]"), is_whole=is_whole)


def sends_whole(revision: Revision, model: ModelSettings) -> bool:
    """Tell whether one of a revision's models is sent the whole text.

    A small model does better with a few passages, and sooner, even where all would fit. The
    preferred model is held to `Full` by its owner, and known to fit it; a fallback that it does
    not fit would never answer.
    """
    mode = revision.context_mode
    if mode is ContextMode.FULL and model == revision.model:
        return True
    if mode is ContextMode.RETRIEVE or model.provider is Provider.EMBEDDED:
        return False
    room = (model.context_window or ASSUMED_WINDOW) - (model.max_tokens or ROOM_FOR_ANSWER)
    return len(system_message(revision, whole=True).encode()) <= room * BYTES_PER_TOKEN


def system_message(revision: Revision, *, whole: bool) -> str:
    """Return rules, texts and instructions as one message.

    The texts stand between fences that they do not contain themselves, so
    nothing in them can pass for a rule.
    """
    parts = [RULES]
    if whole:
        parts += [_fenced_files(revision.files), REMINDER]
    if revision.instructions:
        parts.append(revision.instructions.strip())
    return "\n\n".join(parts)


def _fenced_files(files: Sequence[ContextFile]) -> str:
    return fenced(file.text.strip("\n") for file in files)


def fenced(texts: Iterable[str]) -> str:
    """Return texts, each between an opening and a closing line."""
    texts = list(texts)
    tag = "text"
    while any(f"<{tag}" in text or f"</{tag}" in text for text in texts):
        tag += "-"
    return "\n\n".join(f"<{tag}>\n{text}\n</{tag}>" for text in texts)


def _shown(passage: Passage) -> str:
    """Return a passage as a model reads it: below its headings, a sentence on each line."""
    lines = [" > ".join(passage.headings)] if passage.headings else []
    intro = ""
    for sentence in passage.sentences:
        if sentence.intro and sentence.intro != intro and not sentence.cells:
            intro = sentence.intro
            if intro not in lines and intro not in passage.headings:
                lines.append(intro)
        if not sentence.is_heading:
            lines.append(sentence.text)
    return "\n".join(lines)
