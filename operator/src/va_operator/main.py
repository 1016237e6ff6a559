"""The operator's entry point: reads the settings, connects everything, runs until it is stopped.

Exit codes: 0 after SIGTERM, 1 where something died that only a restart cures, 2 for settings
that are wrong.
"""

import asyncio
import itertools
import logging
import socket
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import kopf
from pydantic import ValidationError

from va_operator.api import GROUP, PLURAL, VERSION, Key, Manifest
from va_operator.cluster import ApiServer
from va_operator.errors import ClusterFailure, OperatorError, WatchDead
from va_operator.fence import Fence, clock
from va_operator.health import serve_health, unusable
from va_operator.inquiry import Ask, Inquiry, Pace
from va_operator.leadership import Leadership
from va_operator.lease import LEASE_NAME
from va_operator.metrics import Metrics, Present
from va_operator.observed import Pod
from va_operator.operation import Operation
from va_operator.pod_http import PodHttp
from va_operator.reconciler import Reconciler
from va_operator.reflector import FIRST_PAUSE, LONGEST_PAUSE
from va_operator.resources.pod_template import Images
from va_operator.settings import OperatorSettings
from va_operator.store import Store
from va_operator.upgrades import Upgrades
from va_operator.work_queue import WorkQueue

logger = logging.getLogger(__name__)


def main() -> None:
    """Run the operator, as `va-operator` does."""
    try:
        settings = OperatorSettings()
    except ValidationError as error:
        for wrong in error.errors():
            name = "_".join(str(part) for part in wrong["loc"]).upper()
            print(f"VA_OPERATOR_{name}: {wrong['msg']}", file=sys.stderr)
        sys.exit(2)
    kopf.configure(
        verbose=settings.log_level == "DEBUG",
        quiet=settings.log_level == "WARNING",
        log_format=kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL,
    )
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # a line for every event seen
    try:
        asyncio.run(run(settings))
    except* OperatorError as faults:
        for fault in _leaves(faults):
            logger.critical("stopping: %s", fault)
        sys.exit(1)


async def run(settings: OperatorSettings) -> None:
    """Run until a signal stops kopf, or something dies that only a restart cures."""
    fence, metrics = Fence(), Metrics()
    api = await ApiServer.connect(in_cluster=settings.in_cluster, fence=fence, traffic=metrics)
    pods = PodHttp()
    leadership = lead(settings, api, fence)
    ask = _counted(pods.ask if settings.in_cluster else _through(api), metrics)
    operation = assemble(settings, api, ask, leadership, metrics)
    health = await serve_health(operation.vitals, leadership, metrics, settings.health_port)
    try:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(operation.run(), name="operation")
            await watch(operation, stop=work.cancel)
            work.cancel()
    finally:
        if leadership is not None:
            await leadership.give_up()
        await health.cleanup()
        await pods.close()
        await api.close()


async def watch(operation: Operation, *, stop: Callable[[], object]) -> None:
    """Let kopf watch the assistants until a signal stops it.

    Raises WatchDead where it gives up: it outlives an API server that is away, but not an API that
    is taken away (404), and no error in the watch but 410.
    """
    namespaces = operation.settings.namespaces
    try:
        await kopf.operator(
            registry=registry_for(operation, stop=stop),
            settings=kopf_settings(),
            clusterwide=not namespaces,
            namespaces=namespaces,
            standalone=True,
        )
    except Exception as fault:
        raise WatchDead(f"the watch of virtualassistants has ended: {fault!r:.300}") from fault


def _leaves(faults: BaseExceptionGroup[OperatorError]) -> Iterator[BaseException]:
    """Return the faults themselves; each task group has wrapped them once more."""
    for fault in faults.exceptions:
        if isinstance(fault, BaseExceptionGroup):
            yield from _leaves(fault)
        else:
            yield fault


def lead(settings: OperatorSettings, api: ApiServer, fence: Fence) -> Leadership | None:
    """Return our part in the Lease; without one the fence is opened for ever."""
    if not settings.lease_namespace:
        fence.open()
        return None
    return Leadership(
        leases=api,
        key=Key(settings.lease_namespace, LEASE_NAME),
        # A process, not a pod: a container that starts anew is no longer who it was.
        identity=f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}",
        fence=fence,
        now=clock,
        wall=lambda: datetime.now(UTC),
    )


def assemble(
    settings: OperatorSettings,
    api: ApiServer,
    ask: Ask,
    leadership: Leadership | None,
    metrics: Metrics,
) -> Operation:
    """Connect the parts."""
    store, queue = Store(), WorkQueue[Key](metrics.waited)
    pace = Pace(
        unsettled=settings.unsettled_question_seconds,
        settled=settings.settled_question_seconds,
        budget=settings.questions_per_second,
    )
    inquiry = Inquiry(ask=ask, pace=pace, heard=queue.add)
    images = Images(assistant=settings.assistant_image, model=settings.model_image)
    upgrades = Upgrades(
        deployments=store.deployments,
        images=images,
        limit=settings.upgrade_rollouts,
        wake=queue.add,
    )
    reconciler = Reconciler.of(
        store=store,
        cluster=api,
        images=images,
        upgrades=upgrades,
        reports=inquiry.reports,
        clock=lambda: datetime.now(UTC),
        instance=socket.gethostname(),
        missed=lambda assistant: operation.assistant_missed(assistant),
        model_hosts=settings.model_hosts,
    )
    operation = Operation(
        settings=settings,
        api=api,
        store=store,
        queue=queue,
        inquiry=inquiry,
        reconciler=reconciler,
        leadership=leadership,
        metrics=metrics,
    )
    metrics.show(
        Present(
            waiting=lambda: len(queue),
            in_work=lambda: queue.in_work,
            leading=lambda: operation.leading,
            lag=lambda: operation.pulse.worst,
            unusable=lambda: len(unusable(operation.vitals)),
            upgrades=lambda: upgrades.counts,
            assistants=lambda: store.assistants,
        )
    )
    return operation


def registry_for(operation: Operation, *, stop: Callable[[], object]) -> kopf.OperatorRegistry:
    """Return kopf's handlers: they pass on what is seen, and nothing else.

    ``stop`` ends what runs beside kopf; kopf would wait for it in vain for five seconds.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        if operation.settings.in_cluster:
            return kopf.login_with_service_account(**kwargs)
        return kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.startup(registry=registry)
    async def served(**_: Any) -> None:
        await operation.served.wait()  # kopf looks for the API once.

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def assistant_seen(event: kopf.RawEvent, **_: Any) -> None:
        body: Manifest = dict(event["object"])
        operation.assistant_seen(event["type"], body)

    @kopf.on.cleanup(registry=registry)
    async def stopping(**_: Any) -> None:
        stop()

    return registry


def kopf_settings() -> kopf.OperatorSettings:
    """Return kopf's settings, where its defaults do not fit; the reasons stand beside them."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # events are ours to write
    # Nothing is ever stored by kopf; of all places its search for it costs least in the status.
    settings.persistence.diffbase_storage = kopf.StatusDiffBaseStorage()
    settings.scanning.disabled = True  # needs permissions on CRDs and namespaces
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = _Pauses()
    settings.watching.server_timeout = 290
    settings.watching.connect_timeout = 5
    settings.watching.chunk_size = 100
    settings.process.ultimate_exiting_timeout = 10  # below the pod's grace period
    return settings


class _Pauses:
    """Seconds between kopf's tries while the API server does not answer, without an end.

    After the last of a finite list (its default ends with 21) kopf gives up, and its watch with it.
    """

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((FIRST_PAUSE, 1.0, 2.0), itertools.repeat(LONGEST_PAUSE))


def _counted(ask: Ask, metrics: Metrics) -> Ask:
    async def counted(pod: Pod, port: int, path: str) -> Manifest:
        try:
            answer = await ask(pod, port, path)
        except ClusterFailure:
            metrics.asked(answered=False)
            raise
        metrics.asked(answered=True)
        return answer

    return counted


def _through(api: ApiServer) -> Ask:
    async def ask(pod: Pod, port: int, path: str) -> Manifest:
        return await api.ask_pod(pod.key, port, path)

    return ask


if __name__ == "__main__":
    main()
