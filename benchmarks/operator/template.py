"""What the operator wrote for one assistant, as a form to fill in for any other.

The children and the status are taken out of the API server, by the managed fields of the
operator, so that the bare client and kopf's handlers write what it writes, whatever kinds of
children it has by now. Pure.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from va_operator.api import API_VERSION, KIND
from va_operator.kinds import CHILDREN
from va_operator.owned import owned_fields

Manifest = dict[str, Any]

NAME, NAMESPACE, UID = "@name@", "@namespace@", "@uid@"


@dataclass(frozen=True)
class Form:
    """One object to write, with blanks for whose it is."""

    kind: str
    path: str
    body: str

    def fill(self, name: str, namespace: str, uid: str) -> tuple[str, str]:
        """Return the path and the body for one assistant."""
        return _fill(self.path, name, namespace, uid), _fill(self.body, name, namespace, uid)


@dataclass(frozen=True)
class Template:
    """All that is written for one assistant: children, and one status."""

    children: tuple[Form, ...]
    status: Form

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the children."""
        return tuple(form.kind for form in self.children)

    def without(self, other: "Template") -> "Template":
        """Return only the children that differ from another template's."""
        return Template(tuple(c for c in self.children if c not in other.children), self.status)

    def to_json(self) -> str:
        """Return it as text, for another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Template":
        """Read it again."""
        data = json.loads(text)
        children = tuple(Form(**form) for form in data["children"])
        return Template(children, Form(**data["status"]))


def template_of(assistant: Manifest, objects: Iterable[Manifest]) -> Template:
    """Return the template of a settled assistant and all objects that may be its children."""
    metadata = assistant["metadata"]
    uid = metadata["uid"]
    children = tuple(
        _blank(child_form(body), metadata)
        for body in sorted(objects, key=lambda body: (body["kind"], body["metadata"]["name"]))
        if any(owner["uid"] == uid for owner in body["metadata"].get("ownerReferences", ()))
    )
    path = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/virtualassistants/{NAME}/status"
    body = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": uid},
        "status": assistant["status"],
    }
    status = Form(KIND, path, json.dumps(body))
    return Template(children, _blank(status, metadata))


def child_form(body: Manifest) -> Form:
    """Return what the operator applied to make a child what it is."""
    metadata = body["metadata"]
    owned = owned_fields(body)
    named = {"name": metadata["name"], "namespace": metadata["namespace"]}
    applied = {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        **owned,
        "metadata": {**named, **owned.get("metadata", {})},
    }
    path = CHILDREN[body["kind"]].path(metadata["namespace"], metadata["name"])
    return Form(body["kind"], path, json.dumps(applied))


def _blank(form: Form, metadata: Manifest) -> Form:
    def blank(text: str) -> str:
        text = text.replace(metadata["uid"], UID)
        return text.replace(metadata["namespace"], NAMESPACE).replace(metadata["name"], NAME)

    return Form(form.kind, blank(form.path), blank(form.body))


def _fill(text: str, name: str, namespace: str, uid: str) -> str:
    return text.replace(NAME, name).replace(NAMESPACE, namespace).replace(UID, uid)
