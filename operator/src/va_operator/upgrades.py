"""Lets the images of a new operator reach a few assistants at a time.

Changing the operator's images asks for new pods in every assistant at once. Nobody waits for
them: a thousand rollouts together would only starve what people did ask for. An assistant that
does not come up with the new images keeps its place until its progress deadline, so that bad
images go no further than a few, whose earlier pods go on answering.
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
    _under_way: set[Key] = field(default_factory=set)
    _waiting: dict[Key, None] = field(default_factory=dict)

    def admit(self, key: Key) -> bool:
        """Tell whether an assistant may roll out now; where not, it is woken when it may."""
        if key not in self._under_way and len(self._under_way) >= self.limit:
            self._waiting[key] = None
            return False
        self._waiting.pop(key, None)
        self._under_way.add(key)
        return True

    def settle(self, key: Key) -> None:
        """Take in that an assistant has nothing to upgrade: it is done, or gone, or never had."""
        self._waiting.pop(key, None)
        deployment = self.deployments.get(key)
        if key in self._under_way and (deployment is None or _came_to_rest(deployment)):
            self._under_way.discard(key)
        if self._waiting and len(self._under_way) < self.limit:
            self.wake(next(iter(self._waiting)))

    @property
    def waiting(self) -> int:
        """How many assistants wait for their turn."""
        return len(self._waiting)


def _came_to_rest(deployment: Child) -> bool:
    status, wanted = deployment.status, deployment.owned.get("spec", {}).get("replicas", 0)
    if status.get("observedGeneration", 0) < deployment.generation:
        return False
    counts = (status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas"))
    return all(count == wanted for count in counts) or explain_rollout(deployment) is not None
