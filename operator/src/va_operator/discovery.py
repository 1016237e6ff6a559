"""Waits until the API server tells of the assistants' API.

kopf looks once, when it starts, at which kinds there are, and follows those alone. An API that was
installed a moment ago, or exchanged, already lists objects while discovery does not name it yet:
kopf would watch nothing, and say so in a warning.
"""

import asyncio
import logging
from typing import Final, Protocol

from va_operator.errors import ClusterFailure
from va_operator.kinds import ASSISTANTS, Resource

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""Seconds between looks, each of two small answers: whoever installs the API waits for us."""


class Discovery(Protocol):
    """What is asked of the API server."""

    async def serves(self, resource: Resource) -> bool:
        """Tell whether discovery names a kind."""
        ...


async def wait_until_served(discovery: Discovery) -> None:
    """Return when the API server tells of the assistants' API; each obstacle is logged once."""
    told = ""
    while True:
        try:
            if await discovery.serves(ASSISTANTS):
                return
            obstacle = "it is not installed: apply crds/"
        except ClusterFailure as failure:
            obstacle = str(failure)
        if obstacle != told:
            logger.warning("waiting for the API of virtualassistants: %s", obstacle)
        told = obstacle
        await asyncio.sleep(LOOK_SECONDS)
