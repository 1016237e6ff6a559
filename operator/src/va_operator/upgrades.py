"""Lets the images of a new operator reach a few assistants at a time.

Changing the operator's images asks for new pods in every assistant at once. Nobody waits for
them: a thousand rollouts together would only starve what people did ask for. An assistant whose
pods were all ready before and do not become so with the new images keeps its place, so bad images
get no further than a few, whose earlier pods go on answering. One whose Deployment somebody paused
keeps none: that may last.

A process that starts finds the places in use in the Deployments: those with its images that still
have pods of others. Some of them may roll out for what people asked; nothing tells them apart, and
they make room when they are done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from va_operator.api import Key
from va_operator.observed import Child
from va_operator.resources.pod_template import Images
from va_operator.store import Shelf
from va_operator.template_stamp import digests_of, stamp_of
from va_operator.troubles import explain_rollout


@dataclass(slots=True, kw_only=True)
class Upgrades:
    """Who may roll out new images, and who waits for it."""

    deployments: Shelf[Child]
    images: Images
    """Those that pods should have."""
    limit: int
    """How many assistants at the same time."""
    wake: Callable[[Key], None]
    """Queues an assistant whose turn has come."""
    _under_way: dict[Key, bool] = field(default_factory=dict)
    """With whether all pods were ready before."""
    _waiting: dict[Key, None] = field(default_factory=dict)
    _resumed: bool = False

    def admit(self, key: Key) -> bool:
        """Tell whether an assistant may roll out now; where not, it is woken when it may."""
        if not self._resumed:
            self._resume()
        if key in self._under_way:
            return True
        if len(self._under_way) >= self.limit:
            self._waiting[key] = None
            return False
        self._waiting.pop(key, None)
        deployment = self.deployments.get(key)
        self._under_way[key] = deployment is not None and _all_ready(deployment)
        return True

    def _resume(self) -> None:
        """Take up what was begun before this process; all Deployments are seen by now."""
        self._resumed = True
        current = digests_of(self.images)
        for deployment in self.deployments:
            stamp = stamp_of(deployment)
            if stamp and stamp.images in current and _has_older_pods(deployment):
                self._under_way[deployment.key] = _answers_in_full(deployment)

    def settle(self, key: Key) -> None:
        """Take in that an assistant has nothing to upgrade: it is done, or gone, or never had."""
        if key in self._waiting:
            self.release(key)
        elif key in self._under_way:
            deployment, well_before = self.deployments.get(key), self._under_way[key]
            if deployment is None or deployment.paused or _all_ready(deployment):
                self.release(key)
            elif not well_before and explain_rollout(deployment) is not None:
                self.release(key)  # Its trouble is older than the images.

    def release(self, key: Key) -> None:
        """Let another have the place of an assistant, or its turn."""
        self._under_way.pop(key, None)
        self._waiting.pop(key, None)
        if self._waiting and len(self._under_way) < self.limit:
            # To the end of the line, so that one who cannot take the turn is not asked for ever.
            first = next(iter(self._waiting))
            self._waiting[first] = self._waiting.pop(first)
            self.wake(first)

    @property
    def counts(self) -> dict[str, int]:
        """How many roll out and how many wait, by these names."""
        return {"under_way": len(self._under_way), "waiting": len(self._waiting)}


def _all_ready(deployment: Child) -> bool:
    status, wanted = deployment.status, _wanted(deployment)
    if _is_behind(deployment):
        return False
    counts = (status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas"))
    return all(count == wanted for count in counts)


def _has_older_pods(deployment: Child) -> bool:
    """Tell whether a Deployment is replacing pods, as far as it is not paused."""
    status = deployment.status
    older = status.get("updatedReplicas", 0) < status.get("replicas", 0)
    return not deployment.paused and (older or _is_behind(deployment))


def _answers_in_full(deployment: Child) -> bool:
    """Tell whether as many pods are ready as are asked for.

    While new pods come none of the older ones goes first, so it was so before if it is so now.
    """
    ready: int = deployment.status.get("readyReplicas", 0)
    return ready >= _wanted(deployment)


def _wanted(deployment: Child) -> int:
    replicas: int = deployment.owned.get("spec", {}).get("replicas", 0)
    return replicas


def _is_behind(deployment: Child) -> bool:
    """Tell whether the Deployment's controller has not looked at its last change."""
    observed: int = deployment.status.get("observedGeneration", 0)
    return observed < deployment.generation
