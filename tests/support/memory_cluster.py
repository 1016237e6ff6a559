"""An API server in a dict: server-side apply with its managed fields, and a sudden death.

It knows as much as the operator relies on: who owns which field, conflicts, what an apply
removes, versions that move only with a change. `tests/integration` runs against a real one.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure
from va_operator.kinds import Resource
from va_operator.owned import FIELD_MANAGER

Path = tuple[str, ...]
Flat = dict[Path, Any]

ITEM_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ownerReferences": ("uid",),
    "conditions": ("type",),
}
ATOMIC = {"selector", "podSelector", "status"}


class Died(Exception):
    """The operator was killed here."""


@dataclass
class _Stored:
    uid: str
    version: int
    created: str
    generation: int
    fields: Flat
    owners: dict[tuple[str, str], set[Path]] = field(default_factory=dict)
    """Paths by manager and operation."""
    deleting: bool = False


@dataclass
class MemoryCluster:
    """Objects by kind and key; it dies before or after its n-th write."""

    dies_before: int | None = None
    dies_after: int | None = None
    writes: list[str] = field(default_factory=list)
    events: list[Manifest] = field(default_factory=list)
    reads: int = 0
    refuses: Callable[[Manifest], ClusterFailure | None] = lambda _: None
    version: int = 100
    """The latest resource version."""
    _objects: dict[tuple[str, Key], _Stored] = field(default_factory=dict)
    _uids: int = 0

    # What the operator calls.

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        self.reads += 1
        return self.find(resource.kind, key)

    async def create(self, manifest: Manifest) -> Manifest:
        if failure := self.refuses(manifest):
            raise failure
        if (manifest["kind"], _key(manifest)) in self._objects:
            raise ClusterFailure(409, "the object has been modified", reason="Conflict")
        return await self.apply(manifest)

    async def apply(self, manifest: Manifest, *, over: str | None = None) -> Manifest:
        if failure := self.refuses(manifest):
            raise failure
        kind, key = manifest["kind"], _key(manifest)
        with self._write(f"{kind} {key.name}"):
            stored = self._objects.get((kind, key))
            if over and (stored is None or stored.uid != over):
                raise ClusterFailure(409, "uid mismatch", reason="Replaced")
            self._apply(manifest, (FIELD_MANAGER, "Apply"), force=bool(over))
        return self.body(kind, key)

    async def apply_status(self, key: Key, uid: str, status: Manifest) -> Manifest:
        stored = self._objects.get(("VirtualAssistant", key))
        if stored is None:
            raise ClusterFailure(404, "not found", reason="NotFound")
        if stored.uid != uid:
            raise ClusterFailure(409, "uid mismatch", reason="Conflict")
        with self._write(f"status {key.name}"):
            if stored.fields.get(("status",)) != status:
                stored.fields["status",] = status
                stored.version = self._next_version()
        return self.body("VirtualAssistant", key)

    async def merge(self, resource: Resource, key: Key, uid: str, patch: Manifest) -> None:
        if failure := self.refuses({**patch, "kind": resource.kind}):
            raise failure
        stored = self._objects.get((resource.kind, key))
        if stored is None or stored.uid != uid:
            raise ClusterFailure(409, "uid mismatch", reason="Conflict")
        with self._write(f"{resource.kind} {key.name}"):
            self.put({**self.body(resource.kind, key), **patch}, manager=FIELD_MANAGER)

    async def delete(self, resource: Resource, key: Key, uid: str) -> None:
        with self._write(f"delete {resource.kind} {key.name}"):
            stored = self._objects.get((resource.kind, key))
            if stored is not None and stored.uid == uid:
                self.erase(resource.kind, key)

    async def create_event(self, namespace: str, event: Manifest) -> Manifest:
        with self._write(f"event {event['reason']}"):
            name = f"{event['metadata']['generateName']}{len(self.events)}"
            self.events.append({**event, "metadata": {**event["metadata"], "name": name}})
        return self.events[-1]

    async def patch_event(self, key: Key, patch: Manifest) -> None:
        known = next((e for e in self.events if e["metadata"]["name"] == key.name), None)
        if known is None:
            raise ClusterFailure(404, "not found", reason="NotFound")
        with self._write(f"event {known['reason']} again"):
            known.update(patch)

    # What people and other programs do.

    def put(self, manifest: Manifest, *, manager: str = "kubectl") -> Manifest:
        """Create an object, or change the fields that are given, as `kubectl patch` does."""
        kind, key = manifest["kind"], _key(manifest)
        stored = self._objects.get((kind, key)) or self._create(kind, key)
        given = _flatten(_content(manifest))
        changed = {p for p, value in given.items() if stored.fields.get(p, given) != value}
        self._take(stored, changed, (manager, "Update"))
        self._store(stored, {**stored.fields, **given})
        return self.body(kind, key)

    def remove(self, kind: str, key: Key, *path: str) -> None:
        """Take out a field, as `kubectl edit` does."""
        stored = self._objects[kind, key]
        gone = {p for p in stored.fields if p[: len(path)] == path}
        for owned in stored.owners.values():
            owned -= gone
        self._store(stored, {p: v for p, v in stored.fields.items() if p not in gone})

    def side_apply(self, manifest: Manifest, manager: str) -> None:
        """Apply server-side as somebody else, by force."""
        self._apply(manifest, (manager, "Apply"), force=True)

    def erase(self, kind: str, key: Key) -> None:
        del self._objects[kind, key]

    def collect_garbage(self) -> None:
        """Delete what has an owner that is gone, as Kubernetes does."""
        uids = {stored.uid for stored in self._objects.values()}
        for kind, key in list(self._objects):
            owners = self.body(kind, key)["metadata"].get("ownerReferences", [])
            if owners and all(owner["uid"] not in uids for owner in owners):
                self.erase(kind, key)

    # What tests look at.

    def find(self, kind: str, key: Key) -> Manifest | None:
        return self.body(kind, key) if (kind, key) in self._objects else None

    def body(self, kind: str, key: Key) -> Manifest:
        stored = self._objects[kind, key]
        body = _unflatten(stored.fields)
        body["kind"] = kind
        body.setdefault("metadata", {}).update(
            name=key.name,
            namespace=key.namespace,
            uid=stored.uid,
            resourceVersion=str(stored.version),
            generation=stored.generation,
            creationTimestamp=stored.created,
            managedFields=[
                {"manager": manager, "operation": how, "fieldsV1": _fields_v1(paths)}
                for (manager, how), paths in stored.owners.items()
            ],
        )
        return body

    def all(self, kind: str) -> list[Manifest]:
        return [self.body(k, key) for k, key in self._objects if k == kind]

    def end_state(self) -> dict[str, Manifest]:
        """Return everything, without what differs between two runs that did the same."""
        state = {}
        for kind, key in sorted(self._objects):
            body = json.loads(json.dumps(self.body(kind, key)))
            for volatile in ("uid", "resourceVersion", "creationTimestamp", "generation"):
                del body["metadata"][volatile]
            for owner in body["metadata"]["managedFields"]:
                owner["fieldsV1"] = sorted(map(str, owner["fieldsV1"]))
            text = json.dumps(body, sort_keys=True)
            for other in self._objects.values():
                text = text.replace(other.uid, "UID")
            state[f"{kind} {key}"] = json.loads(text)
        return state

    # How it does it.

    def _write(self, what: str) -> "_Write":
        return _Write(self, what)

    def _apply(self, manifest: Manifest, who: tuple[str, str], *, force: bool) -> None:
        kind, key = manifest["kind"], _key(manifest)
        stored = self._objects.get((kind, key))
        wanted = _flatten(_content(manifest))
        if stored is None:
            stored = self._create(kind, key)
        others = {
            path: owner
            for owner, paths in stored.owners.items()
            if owner != who
            for path in paths
            if path in wanted and stored.fields.get(path) != wanted[path]
        }
        if others and not force:
            raise ClusterFailure(
                409, f"Apply failed with {len(others)} conflict", reason="Conflict"
            )
        for path, owner in others.items():
            stored.owners[owner].discard(path)
        before = stored.owners.get(who, set())
        elsewhere = set().union(*(p for o, p in stored.owners.items() if o != who), set())
        given_up = before - set(wanted) - elsewhere
        kept = {path: value for path, value in stored.fields.items() if path not in given_up}
        moved = before != set(wanted) or bool(others)
        stored.owners[who] = set(wanted)
        self._store(stored, {**kept, **wanted}, moved=moved)

    def _create(self, kind: str, key: Key) -> _Stored:
        self._uids += 1
        version = self._next_version()
        created = f"2026-01-01T{version // 3600:02}:{version // 60 % 60:02}:{version % 60:02}Z"
        stored = _Stored(f"<uid-{self._uids}>", version, created, 1, {})
        self._objects[kind, key] = stored
        return stored

    def _store(self, stored: _Stored, fields: Flat, *, moved: bool = False) -> None:
        if fields == stored.fields and not moved:
            return
        if _spec(fields) != _spec(stored.fields):
            stored.generation += 1
        stored.fields = fields
        stored.version = self._next_version()

    def _take(self, stored: _Stored, paths: set[Path], who: tuple[str, str]) -> None:
        for owner, owned in stored.owners.items():
            if owner != who:
                owned -= paths
        stored.owners.setdefault(who, set()).update(paths)

    def _next_version(self) -> int:
        self.version += 1
        return self.version


@dataclass
class _Write:
    """One write, which the operator may not live to send or to see the end of."""

    cluster: MemoryCluster
    what: str

    def __enter__(self) -> None:
        if self.cluster.dies_before == len(self.cluster.writes):
            raise Died

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            self.cluster.writes.append(self.what)
            if self.cluster.dies_after == len(self.cluster.writes) - 1:
                raise Died


def _key(manifest: Manifest) -> Key:
    return Key(manifest["metadata"]["namespace"], manifest["metadata"]["name"])


def _content(manifest: Manifest) -> Manifest:
    """Drop what the API server alone writes."""
    metadata = {
        name: value
        for name, value in manifest["metadata"].items()
        if name in {"labels", "annotations", "ownerReferences", "deletionTimestamp"}
    }
    rest = {n: v for n, v in manifest.items() if n not in {"metadata", "kind", "apiVersion"}}
    return {**({"metadata": metadata} if metadata else {}), **rest}


def _spec(fields: Flat) -> Flat:
    return {path: value for path, value in fields.items() if path[0] not in {"metadata", "status"}}


def _flatten(value: Any, path: Path = ()) -> Flat:
    if isinstance(value, dict) and value and not (path and path[-1] in ATOMIC):
        return {
            p: v for name, inner in value.items() for p, v in _flatten(inner, (*path, name)).items()
        }
    if isinstance(value, list) and (keys := _item_keys(path, value)):
        return {
            p: v for item in value for p, v in _flatten(item, (*path, _item(item, keys))).items()
        }
    return {} if value is None else {path: value}


def _item_keys(path: Path, items: list[Any]) -> tuple[str, ...]:
    if path[-1] == "ports":
        return ("containerPort" if "containerPort" in items[0] else "port", "protocol")
    return ITEM_KEYS.get(path[-1], ())


def _item(item: Manifest, keys: tuple[str, ...]) -> str:
    return "k:" + json.dumps({key: item[key] for key in keys}, separators=(",", ":"))


def _unflatten(fields: Flat) -> Manifest:
    tree: dict[str, Any] = {}
    for path, value in fields.items():
        place = tree
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    body: Manifest = json.loads(json.dumps(_lists(tree)))
    return body


def _lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    inner = {name: _lists(value) for name, value in tree.items()}
    if inner and all(name.startswith("k:") for name in inner):
        return list(inner.values())
    return inner


def _fields_v1(paths: set[Path]) -> Manifest:
    fields: Manifest = {}
    for path in sorted(paths):
        place = fields
        for name in _steps(path):
            place = place.setdefault(name, {})
    return fields


def _steps(path: Path) -> Iterator[str]:
    for name in path:
        yield name if name.startswith("k:") else f"f:{name}"
