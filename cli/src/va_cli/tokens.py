"""The token that a question carries, from a file or the environment; it is never shown."""

from __future__ import annotations

from pathlib import Path

from va_cli.failures import WrongUsage


def read_token(file: str | None, *, variable: str | None) -> str | None:
    """Return the file's first line that is not empty, else the variable; None without either.

    A Secret's file may hold several tokens: all of them are taken, so the first will do.
    """
    if file is None:
        return _checked(variable, "VA_TOKEN") if variable else None
    try:
        text = Path(file).read_text("utf-8", errors="replace")
    except OSError as error:
        raise _unusable(f"'{file}': {error.strerror}") from error
    return _checked(text, f"'{file}'")


def token_headers(token: str | None, *, authorization_is_taken: bool) -> dict[str, str]:
    """Return the headers that bring a token to an assistant.

    The API server's proxy takes `Authorization` for itself and passes it on to nobody: a second
    header goes through, and the first would be mistaken for the cluster's own.
    """
    if token is None:
        return {}
    second = {"X-VA-Token": token}
    return second if authorization_is_taken else {"Authorization": f"Bearer {token}", **second}


def _checked(text: str, source: str) -> str:
    token = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not token:
        raise _unusable(f"{source} is empty")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise _unusable(f"{source} must be of printable ASCII characters without spaces")
    return token


def _unusable(why: str) -> WrongUsage:
    return WrongUsage(
        "The token cannot be used.",
        why=f"{why}; nothing was sent",
        next_step="give a file with --token-file, or set VA_TOKEN",
    )
