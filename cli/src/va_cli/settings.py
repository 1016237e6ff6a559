"""What the command line reads from its environment, once, at start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment's part of what the user wants; options go before it."""

    url: str | None
    """`VA_URL`: the assistant to ask, without looking into any cluster."""

    assistant: str | None
    """`VA_ASSISTANT`: the name to use where the command line gives none."""

    token: str | None
    """`VA_TOKEN`: what proves to an assistant that the user may ask."""

    kubeconfig: str | None
    """`KUBECONFIG`: one or more files, as kubectl takes it."""

    home: Path
    """Where `.kube/config` is looked for."""

    state: Path
    """`XDG_STATE_HOME`, else `~/.local/state`: where conversations are kept."""

    keeps_history: bool
    """`VA_NO_HISTORY` makes it False: no conversation is kept."""

    colour: bool | None
    """`NO_COLOR` makes it False, `CLICOLOR_FORCE` True; else the terminal decides."""

    plain_terminal: bool
    """`CI` or `TERM=dumb`: nothing on the screen is rewritten."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables; an empty one counts as unset."""
        home = Path(environment.get("HOME") or Path.home())
        return cls(
            url=environment.get("VA_URL") or None,
            assistant=environment.get("VA_ASSISTANT") or None,
            token=environment.get("VA_TOKEN") or None,
            kubeconfig=environment.get("KUBECONFIG") or None,
            home=home,
            state=_state(environment, home),
            keeps_history=not environment.get("VA_NO_HISTORY"),
            colour=_colour(environment),
            plain_terminal=bool(environment.get("CI")) or environment.get("TERM") == "dumb",
        )


def _state(environment: Mapping[str, str], home: Path) -> Path:
    """Return the folder; as the XDG specification wants it, a relative one is ignored."""
    named = Path(environment.get("XDG_STATE_HOME", ""))
    return named if named.is_absolute() else home / ".local" / "state"


def _colour(environment: Mapping[str, str]) -> bool | None:
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    return False if environment.get("CLICOLOR") == "0" else None
