"""The workers that empty the queue."""

import asyncio
import logging
import time
from typing import Final, Protocol

from va_operator.api import Key
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.metrics import Metrics
from va_operator.work_queue import WorkQueue

logger = logging.getLogger(__name__)

RECONCILE_SECONDS: Final = 240.0
"""After this a reconcile is given up and tried again; what it wrote stays written. With an
API server that takes ten seconds for each answer it needs about half of it."""


class Reconciling(Protocol):
    """What a worker calls."""

    async def reconcile(self, key: Key) -> None:
        """Reconcile one assistant."""


async def work(queue: WorkQueue[Key], reconciler: Reconciling, metrics: Metrics) -> None:
    """Reconcile key after key, for ever. One key's failure is only its own."""
    while True:
        key = await queue.take()
        begun = time.monotonic()
        fault: Exception | None = None
        try:
            await _in_time(reconciler, key)
        except ChildRefused as refused:
            fault, pause = refused, queue.failed(key)
            logger.warning("%s: %s: %s; next try in %.1f s", key, refused.reason, refused, pause)
        except ClusterFailure as failure:
            fault, pause = failure, queue.failed(key, retry_after=failure.retry_after)
            logger.warning("%s: %s; next try in %.1f s", key, failure, pause)
        except Exception as unforeseen:
            fault, pause = unforeseen, queue.failed(key)
            logger.exception("%s: unforeseen; next try in %.1f s", key, pause)
        else:
            queue.done(key)
        metrics.reconciled(time.monotonic() - begun, fault, now=time.time())


async def _in_time(reconciler: Reconciling, key: Key) -> None:
    deadline = asyncio.timeout(RECONCILE_SECONDS)
    try:
        async with deadline:
            await reconciler.reconcile(key)
    except TimeoutError as late:
        if not deadline.expired():
            raise
        raise ClusterFailure(0, f"not done within {RECONCILE_SECONDS:.0f} s") from late
