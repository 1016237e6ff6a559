"""The workers that empty the queue."""

import logging
import time
from typing import Protocol

from va_operator.api import Key
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.metrics import Metrics
from va_operator.work_queue import WorkQueue

logger = logging.getLogger(__name__)


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
            await reconciler.reconcile(key)
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
