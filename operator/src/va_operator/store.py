"""What was last seen of everything, in plain dicts.

Filled by the watches, and by the answers to our own writes, so that a worker never
decides on less than it did itself. All lookups that decisions need are by key.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from va_operator.api import Key, Manifest, VirtualAssistant, key_of, parse
from va_operator.observed import Child, ConfigMapFacts, Pod, read_child, read_config_map


class _Seen(Protocol):
    @property
    def key(self) -> Key: ...
    @property
    def uid(self) -> str: ...
    @property
    def resource_version(self) -> str: ...


T = TypeVar("T", bound=_Seen)

NAMED_CHILDREN: Final = ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")
"""The kinds of which an assistant has at most one, under its own name."""

GONE_KEPT: Final = 1024
"""Deletions that are remembered; what comes late comes within seconds."""


class Shelf(Generic[T]):
    """The objects of one kind.

    ``remember`` ignores what is older than what is known under the same name, a deletion
    included (resource versions of one kind are comparable numbers: Kubernetes API
    concepts, "Resource versions"), and ``forget`` ignores the late deletion of
    an object that has a new namesake.
    """

    def __init__(self, index: Callable[[T], Iterable[Key]]) -> None:
        """``index`` names the assistants, or what else, that an object is looked up by."""
        self._items: dict[Key, T] = {}
        self._index = index
        self._by_index: defaultdict[Key, dict[Key, T]] = defaultdict(dict)
        self._gone: dict[Key, int] = {}
        """Versions of the latest deletions, against answers that come after the news of them."""

    def remember(self, item: T) -> tuple[Key, ...]:
        """Take in what was seen; return the index keys that it touches, if it is news."""
        known = self._items.get(item.key)
        newest = int(known.resource_version) if known is not None else self._gone.get(item.key, 0)
        if int(item.resource_version) <= newest:
            return ()
        self._gone.pop(item.key, None)
        touched = set(self._drop(known)) if known is not None else set()
        self._items[item.key] = item
        for key in self._index(item):
            self._by_index[key][item.key] = item
            touched.add(key)
        return tuple(touched)

    def forget(self, key: Key, uid: str, *, version: str | None = None) -> tuple[Key, ...]:
        """Take out what is gone; return the index keys that it touches.

        ``version`` is that of the deletion, where an event told of it. It counts also where
        nothing is known any more: we deleted the object ourselves, and older news of it may
        still come.
        """
        known = self._items.get(key)
        if known is not None and known.uid != uid:
            return ()
        if version is not None:
            self._gone[key] = max(int(version), self._gone.pop(key, 0))
            if len(self._gone) > GONE_KEPT:
                del self._gone[next(iter(self._gone))]
        if known is None:
            return ()
        del self._items[key]
        return tuple(self._drop(known))

    def see(self, item: T, *, deleted: bool) -> tuple[Key, ...]:
        """Take in an event of a watch; return the index keys that it touches, if it is news."""
        if deleted:
            return self.forget(item.key, item.uid, version=item.resource_version)
        return self.remember(item)

    def replace(
        self, items: Iterable[T], *, version: str, within: Callable[[Key], bool]
    ) -> set[Key]:
        """Make a part of the shelf equal to a fresh list; return the index keys touched.

        The list speaks for all that happened up to its ``version``: what is known since then
        stays, and of the rest it is right even where its objects are older than what is known,
        because etcd was restored from a backup, or read otherwise in the same version, because the
        API was exchanged for one that knows other fields.
        """
        fresh, upto = {item.key: item for item in items}, int(version)
        for key in [key for key, gone in self._gone.items() if within(key) and gone <= upto]:
            del self._gone[key]
        touched: set[Key] = set()
        for known in self:
            if within(known.key) and int(known.resource_version) <= upto:
                item = fresh.get(known.key)
                if item is None or item != known:
                    touched.update(self.forget(known.key, known.uid))
        for item in fresh.values():
            touched.update(self.remember(item))
        return touched

    def knows(self, body: Manifest) -> bool:
        """Tell whether an object is known in this very version."""
        metadata = body["metadata"]
        known = self._items.get(key_of(body))
        version = (metadata["uid"], metadata["resourceVersion"])
        return known is not None and _identity(known) == version

    def get(self, key: Key) -> T | None:
        """Return an object by its own key."""
        return self._items.get(key)

    def of(self, key: Key) -> tuple[T, ...]:
        """Return the objects that are indexed under a key, by name."""
        return tuple(sorted(self._by_index.get(key, {}).values(), key=lambda item: item.key))

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def _drop(self, item: T) -> Iterable[Key]:
        for key in self._index(item):
            self._by_index[key].pop(item.key, None)
            if not self._by_index[key]:
                del self._by_index[key]
            yield key


def _identity(item: _Seen) -> tuple[str, str]:
    return (item.uid, item.resource_version)


def _own_key(item: _Seen) -> tuple[Key, ...]:
    return (item.key,)


def _pod_keys(pod: Pod) -> tuple[Key, ...]:
    return (pod.assistant,)


def _map_keys(found: ConfigMapFacts) -> tuple[Key, ...]:
    return (Key(found.key.namespace, found.instance),) if found.instance else (found.key,)


@dataclass(slots=True)
class Store:
    """All that the operator has seen."""

    assistants: Shelf[VirtualAssistant] = field(default_factory=lambda: Shelf(_own_key))
    children: Mapping[str, Shelf[Child]] = field(
        default_factory=lambda: {kind: Shelf(_own_key) for kind in NAMED_CHILDREN}
    )
    """Those that have the name of their assistant, by kind."""
    pods: Shelf[Pod] = field(default_factory=lambda: Shelf(_pod_keys))
    revisions: Shelf[ConfigMapFacts] = field(default_factory=lambda: Shelf(_map_keys))
    """Our own ConfigMaps, by assistant."""
    sources: Shelf[ConfigMapFacts] = field(default_factory=lambda: Shelf(_own_key))
    """ConfigMaps that contexts refer to."""
    _referrers: defaultdict[Key, set[Key]] = field(default_factory=lambda: defaultdict(set))

    @property
    def deployments(self) -> Shelf[Child]:
        """The Deployments."""
        return self.children["Deployment"]

    @property
    def services(self) -> Shelf[Child]:
        """The Services."""
        return self.children["Service"]

    def remember_assistant(self, body: Manifest) -> tuple[Key, ...]:
        """Take in an assistant; raises as `parse` does where it cannot be read."""
        return self.take_in(parse(body))

    def take_in(self, assistant: VirtualAssistant) -> tuple[Key, ...]:
        """Take in an assistant that was read; return its key if it is news."""
        before = self.assistants.get(assistant.key)
        touched = self.assistants.remember(assistant)
        if touched:
            self._refer(before, assistant)
        return touched

    def forget_assistant(
        self, key: Key, uid: str, *, version: str | None = None
    ) -> tuple[Key, ...]:
        """Take out an assistant that is gone, since ``version`` where an event told of it."""
        before = self.assistants.get(key)
        touched = self.assistants.forget(key, uid, version=version)
        if touched:
            self._refer(before, None)
        return touched

    def replace_assistants(
        self,
        listed: Iterable[VirtualAssistant],
        *,
        version: str,
        within: Callable[[Key], bool],
    ) -> None:
        """Make a part of the assistants equal to a fresh list, as `Shelf.replace` does."""
        before = {assistant.key: assistant for assistant in self.assistants}
        for key in self.assistants.replace(listed, version=version, within=within):
            self._refer(before.get(key), self.assistants.get(key))

    def referrers(self, config_map: Key) -> tuple[Key, ...]:
        """Return the assistants whose context refers to a ConfigMap."""
        return tuple(self._referrers.get(config_map, ()))

    def sources_of(self, assistant: VirtualAssistant) -> dict[str, ConfigMapFacts | None]:
        """Return what is known of the ConfigMaps that an assistant refers to."""
        return {
            name: self.sources.get(Key(assistant.key.namespace, name))
            for name in sorted(assistant.config_maps)
        }

    def remember_written(self, body: Manifest) -> None:
        """Take in the API server's answer to a write of our own."""
        match body["kind"]:
            case kind if kind in self.children:
                self.children[kind].remember(read_child(body))
            case "ConfigMap":
                self.revisions.remember(read_config_map(body))
            case _:
                self.remember_assistant(body)

    def _refer(self, before: VirtualAssistant | None, after: VirtualAssistant | None) -> None:
        """Note who refers to which ConfigMap; one to which nobody does is not kept."""
        now = _referred(after)
        for source, assistant in now.items():
            self._referrers[source].add(assistant)
        for source, assistant in _referred(before).items():
            if source in now:
                continue
            self._referrers[source].discard(assistant)
            if not self._referrers[source]:
                del self._referrers[source]
                if known := self.sources.get(source):
                    self.sources.forget(source, known.uid)


def _referred(assistant: VirtualAssistant | None) -> dict[Key, Key]:
    """Return the ConfigMaps that an assistant refers to, and the assistant for each."""
    if assistant is None:
        return {}
    return {Key(assistant.key.namespace, name): assistant.key for name in assistant.config_maps}
