"""Takes secrets out of what a model server says, however it is cut into pieces; pure.

No model is told a key, so none can be talked into telling it. But a server, or a gateway before
it, sees the key of each request, and what it sends back goes to strangers.
"""

from collections.abc import Generator, Iterable
from dataclasses import replace

from va_assistant.completions import Piece

INSTEAD = "…"
SHORTEST_SECRET = 12
"""Characters. A shorter one (`none`, `ollama`) is a stand-in, and may be a word of the text."""


def redacted(text: str, secrets: Iterable[str | None]) -> str:
    """Return a text without the secrets."""
    for secret in _worth_hiding(secrets):
        text = text.replace(secret, INSTEAD)
    return text


def redacted_stream(pieces: Iterable[Piece], secrets: Iterable[str | None]) -> Generator[Piece]:
    """Yield pieces without the secrets; what may be the beginning of one waits for the rest."""
    hidden = _worth_hiding(secrets)
    held = ""
    for piece in pieces:
        text = redacted(held + piece.text, hidden)
        kept = 0 if piece.finish_reason else _beginning(text, hidden)
        held = text[len(text) - kept :]
        if piece.finish_reason and text:
            yield Piece(text=text)
            yield replace(piece, text="")
        elif piece.finish_reason or len(text) > kept:
            yield replace(piece, text=text[: len(text) - kept])


def _worth_hiding(secrets: Iterable[str | None]) -> list[str]:
    found = {secret for secret in secrets if secret and len(secret) >= SHORTEST_SECRET}
    return sorted(found, key=len, reverse=True)


def _beginning(text: str, secrets: Iterable[str]) -> int:
    """Return how many characters at the end of a text may be the beginning of a secret."""
    most = 0
    for secret in secrets:
        longest = min(len(secret) - 1, len(text))
        most = max(most, next((n for n in range(longest, 0, -1) if text.endswith(secret[:n])), 0))
    return most
