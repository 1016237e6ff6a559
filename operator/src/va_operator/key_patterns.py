"""What looks like somebody's secret in a text that is meant for everybody. Pure.

Only forms that are nothing else: a warning that is mostly wrong is not read. What is found is
told by its place and kind, never by its words.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

MOST: Final = 10
"""Places that are looked for; whoever mends these sees the next ones."""

FEWEST_CHARACTERS: Final = 10
"""Different ones, in a key that was made by chance: `sk-xxxxxxxxxxxxxxxxxxxx` stands in for one."""

_KINDS: Final = {
    "private_key": "a private key",
    "api_key": "an API key",
    "cloud_key": "a cloud provider's access key",
    "token": "an access token",
}
_KEY: Final = re.compile(
    r"""
      (?P<private_key>-----BEGIN\ (?:[A-Z0-9]+\ )*PRIVATE\ KEY-----
        | \bclient-key-data:\s*[A-Za-z0-9+/=]{40})
    | (?P<api_key>\bsk-[A-Za-z0-9_-]{20,} | \bAIza[A-Za-z0-9_-]{35} | \bhf_[A-Za-z0-9]{30,})
    | (?P<cloud_key>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)
    | (?P<token>\bgh[opsur]_[A-Za-z0-9]{36} | \bgithub_pat_[A-Za-z0-9_]{22,}
        | \bglpat-[A-Za-z0-9_-]{20} | \bxox[abeprs]-[A-Za-z0-9-]{20,}
        | \beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})
    """,
    re.VERBOSE,
)


def keys_in(texts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Say where texts, each with what it is called, hold what looks like a key; `MOST` of it."""
    found = (
        f"{name}, line {text.count(chr(10), 0, match.start()) + 1}, looks like "
        f"{_KINDS[match.lastgroup or '']}"
        for name, text in texts
        for match in _KEY.finditer(text)
        if len(set(match.group())) >= FEWEST_CHARACTERS
    )
    return tuple(islice(found, MOST))
