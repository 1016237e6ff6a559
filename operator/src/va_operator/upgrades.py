"""Lets the images of a new operator reach a few assistants at a time.

Changing the operator's images asks for new pods in every assistant at once. Nobody waits for
them: a thousand rollouts together would only starve what people did ask for. An assistant whose
pods were all ready before and do not become so with the new images keeps its place, so bad images
get no further than a few, whose earlier pods go on answering.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from va_operator.api import Key
from va_operator.observed import Child
from va_operator.store import Shelf
from va_operator.troubles import explain_rollout


@dataclass(slots=True, kw_only=True)
class Upgrades:
    """Who may roll out new images, and who waits for it."""

    deployments: Shelf[Child]
    limit: int
    """How many assistants at the same time."""
    wake: Callable[[Key], None]
    """Queues an assistant whose turn has come."""
    _under_way: dict[Key, bool] = field(default_factory=dict)
    """With whether all pods were ready before."""
    _waiting: dict[Key, None] = field(default_factory=dict)

    def admit(self, key: Key) -> bool:
        """Tell whether an assistant may roll out now; where not, it is woken when it may."""
        if key in self._under_way:
            return True
        if len(self._under_way) >= self.limit:
            self._waiting[key] = None
            return False
        self._waiting.pop(key, None)
        deployment = self.deployments.get(key)
        self._under_way[key] = deployment is not None and _all_ready(deployment)
        return True

    def settle(self, key: Key) -> None:
        """Take in that an assistant has nothing to upgrade: it is done, or gone, or never had."""
        if key in self._waiting:
            self.release(key)
        elif key in self._under_way:
            deployment, well_before = self.deployments.get(key), self._under_way[key]
            if deployment is None or _all_ready(deployment):
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
    status, wanted = deployment.status, deployment.owned.get("spec", {}).get("replicas", 0)
    if status.get("observedGeneration", 0) < deployment.generation:
        return False
    counts = (status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas"))
    return all(count == wanted for count in counts)
