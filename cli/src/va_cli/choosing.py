"""Whom a command line means: by a name, by a URL, or because there is only one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from va_cli.assistants import Assistant, parse_assistant
from va_cli.endpoints import normal_url
from va_cli.failures import NotAllowed, NotFound, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from va_cli.cluster import Cluster
    from va_cli.finding import Finder
    from va_cli.session import Session
    from va_cli.terminal import Notes

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Choice:
    """A name, and the argument if it is no name but the question."""

    name: str
    words: str | None


def may_be_a_name(word: str | None) -> bool:
    """Say whether an assistant could be called so."""
    return word is not None and _NAME.fullmatch(word) is not None


def assistant_named(cluster: Cluster, namespace: str, name: str) -> Assistant:
    """Read the assistant of that name; raises WrongUsage where none can be called so.

    Unchecked, an empty name would read the list, and one with slashes something else.
    """
    if not may_be_a_name(name):
        raise WrongUsage(
            f"'{name}' cannot be the name of an assistant.",
            why="a name has lower-case letters, digits and '-', and begins with a letter"
            if name
            else "it is empty, as a variable is that is not set",
            next_step='{va} list, or {va} ask NAME "…" with the name first',
        )
    return parse_assistant(cluster.assistant(namespace, name))


def choose(
    word: str | None, *, default: str | None, known: Sequence[str], namespace: str
) -> Choice:
    """Decide what a single argument is: the name of a known assistant, else the question.

    Without a name it is the default one, else the only one there is.
    """
    if word is not None and word in known:
        return Choice(word, None)
    if default is not None:
        return Choice(default, word)
    if len(known) == 1:
        return Choice(known[0], word)
    if not known:
        raise NotFound(
            "There is nobody to ask.",
            why=f"the namespace '{namespace}' has no assistants",
            next_step="{va} list -A",
        )
    raise WrongUsage(
        "It is not clear which assistant is meant.",
        why=f"the namespace '{namespace}' has {len(known)}: {', '.join(known)}",
        next_step=f"name one, such as '{known[0]}', or set VA_ASSISTANT",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the options say to look."""

    url: str | None = None
    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None


def finder_by_name(name: str | None, session: Session, place: Place, notes: Notes) -> Finder:
    """Return what finds the assistant of that name, or the one that is meant without a name."""
    url = place.url or session.settings.url
    if url and name is not None:
        raise WrongUsage(
            "It is not clear which assistant is meant.",
            why=f"it must be given by its name '{name}' or by the URL {url}, not by both",
            next_step="leave the name out, or --url and VA_URL",
        )
    if url:
        return _finder_at(url, notes)
    cluster, namespace = _open(session, place, notes)
    if name is None:
        assistant, _ = meant_by(
            None, cluster, namespace=namespace, default=session.settings.assistant
        )
    else:
        assistant = assistant_named(cluster, namespace, name)
    return _finder_in(cluster, assistant, notes)


def finder_by_word(
    word: str | None, session: Session, place: Place, notes: Notes
) -> tuple[Finder, str | None]:
    """Return what finds the assistant that a single argument means, and what of it is asked."""
    url = place.url or session.settings.url
    if url:
        return _finder_at(url, notes), word
    cluster, namespace = _open(session, place, notes)
    assistant, words = meant_by(
        word, cluster, namespace=namespace, default=session.settings.assistant
    )
    return _finder_in(cluster, assistant, notes), words


def meant_by(
    word: str | None, cluster: Cluster, *, namespace: str, default: str | None
) -> tuple[Assistant, str | None]:
    """Return the assistant that a single argument means, and the argument if it is no name.

    The list is read only where it is needed for that.
    """
    known: dict[str, Assistant] = {}
    if default is None or may_be_a_name(word):
        try:
            read = map(parse_assistant, cluster.assistants(namespace))
            known = {assistant.name: assistant for assistant in read}
        except NotAllowed:
            if default is None:
                raise
    choice = choose(word, default=default, known=sorted(known), namespace=namespace)
    named = known.get(choice.name) or assistant_named(cluster, namespace, choice.name)
    return named, choice.words


def _open(session: Session, place: Place, notes: Notes) -> tuple[Cluster, str]:
    notes.stage("looking into the cluster")
    cluster = session.cluster(place.kubeconfig, place.context)
    return cluster, place.namespace or cluster.default_namespace


def _finder_at(url: str, notes: Notes) -> Finder:
    from va_cli.finding import UrlFinder

    try:
        return UrlFinder(normal_url(url), notes)
    except ValueError as error:
        raise WrongUsage(
            "The URL cannot be used.", why=f"it {error}", next_step="{va} ask --help"
        ) from None


def _finder_in(cluster: Cluster, assistant: Assistant, notes: Notes) -> Finder:
    from va_cli.finding import ClusterFinder

    return ClusterFinder(cluster, assistant, notes)
