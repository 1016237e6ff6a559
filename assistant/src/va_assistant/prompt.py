"""What the model is told: rules and texts first and always the same, the question last.

Pure. The bytes before the question are made once per revision: a provider's
prefix cache finds them, and no question can reach into them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from va_assistant.revision import ContextFile, Revision

RULES = (
    "Use only the facts in the text to answer. "
    'If a fact is not in the text, say "The text does not say that."'
)
REMINDER = "Answer in one short sentence, using only the text."
"""A small model forgets what it was told before a long text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The fixed part of every request of a revision."""

    messages: bytes
    """JSON of the messages before the question, with the bracket that opens the list."""

    def request(self, parameters: bytes, question: str) -> bytes:
        """Return the body of a request; `parameters` is a JSON object, not an empty one."""
        return b"".join(
            (
                parameters[:-1],
                b', "messages": ',
                self.messages,
                b', {"role": "user", "content": ',
                json.dumps(question, ensure_ascii=False).encode(),
                b"}]}",
            )
        )


def build_prompt(revision: Revision) -> Prompt:
    """Return the prompt of a revision."""
    message = {"role": "system", "content": system_message(revision)}
    messages = json.dumps([message], ensure_ascii=False).encode()
    return Prompt(messages=messages.removesuffix(b"]"))


def system_message(revision: Revision) -> str:
    """Return rules, texts and instructions as one message.

    The texts stand between fences that they do not contain themselves, so
    nothing in them can pass for a rule.
    """
    parts = [RULES, fenced(revision.files), REMINDER]
    if revision.instructions:
        parts.append(revision.instructions.strip())
    return "\n\n".join(parts)


def fenced(files: Sequence[ContextFile]) -> str:
    """Return the texts, each between an opening and a closing line."""
    texts = [file.text.strip("\n") for file in files]
    tag = "text"
    while any(f"<{tag}" in text or f"</{tag}" in text for text in texts):
        tag += "-"
    return "\n\n".join(f"<{tag}>\n{text}\n</{tag}>" for text in texts)
