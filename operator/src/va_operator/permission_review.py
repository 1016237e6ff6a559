"""Asks the API server from time to time what the operator may do, and says what is missing.

A watch goes on after its permission was taken away, for minutes, and a write fails only when there
is something to write: this notices before that matters, and names what to give.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final, Protocol

from va_operator.api import Manifest
from va_operator.errors import ClusterFailure
from va_operator.permissions import Rule, describe, missing

logger = logging.getLogger(__name__)

REVIEW_SECONDS: Final = 30.0


class Reviewing(Protocol):
    """What a review needs of the API server."""

    async def review_rules(self, namespace: str | None) -> Manifest:
        """Return the status of a SelfSubjectRulesReview, of None for the whole cluster."""
        ...


@dataclass(slots=True, kw_only=True)
class PermissionReview:
    """What is missing in each namespace that is watched, as of the last review."""

    api: Reviewing
    _denied: dict[str | None, tuple[Rule, ...]] = field(default_factory=dict)

    @property
    def trouble(self) -> str:
        """What is missing, in one line; "" where nothing is known to be."""
        return describe(self._denied)

    def missing_in(self, namespace: str | None) -> str:
        """Return what is missing in a namespace (None: all), in one line; "" for nothing."""
        return describe({namespace: self._denied.get(namespace, ())})

    def denies(self, namespace: str | None) -> bool:
        """Tell whether something is known to be missing in a namespace (None: all)."""
        return bool(self._denied.get(namespace))

    async def run(self, namespaces: tuple[str, ...]) -> None:
        """Review for ever what is allowed in some namespaces, or for none of them in all."""
        while True:
            before = self.trouble
            for namespace in namespaces or (None,):
                await self._review(namespace)
            if self.trouble and self.trouble != before:
                logger.warning("%s", self.trouble)
            elif before and not self.trouble:
                logger.info("everything that is needed is allowed again")
            await asyncio.sleep(REVIEW_SECONDS)

    async def _review(self, namespace: str | None) -> None:
        try:
            status = await self.api.review_rules(namespace)
        except ClusterFailure as failure:
            logger.debug("permissions cannot be reviewed: %s", failure)
            return  # What was found last holds.
        # An authorizer beside RBAC, as some clouds have, need not tell what it would allow.
        found = () if status.get("incomplete") else missing(status.get("resourceRules") or ())
        self.heard(namespace, found)

    def heard(self, namespace: str | None, denied: tuple[Rule, ...]) -> None:
        """Take in what is missing in a namespace, () for nothing."""
        self._denied[namespace] = denied
