"""What a pod template was made from, so that a newer operator knows whether pods must restart.

A new version of the operator may build the same pods differently. Comparing templates alone it
would restart every pod of the cluster for that. So each Deployment carries a stamp: who asked
for its template (the spec, the revision, the images), and a digest of the template as it was
sent, by which an edit by hand is told from a template of an earlier version. Pure.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Final, NamedTuple

from va_operator.api import Manifest, VirtualAssistant
from va_operator.observed import Child
from va_operator.owned import bare
from va_operator.resources.pod_template import Images

STAMP_ANNOTATION: Final = "virtualassistant.dev/template"


class Stamp(NamedTuple):
    """Three digests, each ten hexadecimal digits."""

    asked: str
    """Of the revision and of what the spec says of pods."""
    images: str
    """Of the images of the pods' containers."""
    sent: str
    """Of the template itself."""

    def __str__(self) -> str:
        return ".".join(self)


def stamp_for(
    assistant: VirtualAssistant, revision: str, images: Images, template: Manifest
) -> Stamp:
    """Return the stamp of a template.

    Settings that are empty do not count, so that a field which only a newer operator knows
    changes no stamp until somebody sets it.
    """
    pods = {name: value for name, value in asdict(assistant.pods).items() if value}
    asked = {"revision": revision, "pods": pods}
    with_model, without = digests_of(images)
    used = with_model if assistant.embedded_model else without
    return Stamp(asked=_digest(asked), images=used, sent=_digest(template))


def digests_of(images: Images) -> tuple[str, str]:
    """Return the two digests of images in stamps: for pods with the embedded model, and without."""
    return _digest([images.assistant, images.model]), _digest([images.assistant])


def stamp_in(deployment: Manifest) -> Stamp | None:
    """Return the stamp that a Deployment carries, None where it is none of ours."""
    annotations = deployment.get("metadata", {}).get("annotations") or {}
    parts = annotations.get(STAMP_ANNOTATION, "").split(".")
    return Stamp(*parts) if len(parts) == len(Stamp._fields) else None


def stamp_of(deployment: Child) -> Stamp | None:
    """Return the stamp that we last gave to a Deployment that exists."""
    return stamp_in(deployment.owned)


def is_intact(deployment: Child, stamp: Stamp) -> bool:
    """Tell whether a Deployment still has the template that was sent with a stamp."""
    return _digest(deployment.owned.get("spec", {}).get("template")) == stamp.sent


def _digest(value: object) -> str:
    canonical = json.dumps(bare(value), sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(canonical).hexdigest()[:10]
