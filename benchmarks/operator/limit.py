"""The limit: a bare client that writes what the operator writes, and knows beforehand what.

The same objects and statuses by the same verbs, with the same number of assistants in work at once
and the same order (a Deployment after its ConfigMap, the status last). It watches nothing, compares
nothing and learns the UID from the answer to its own request.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from benchmarks.operator.api_client import MERGE, ApiClient
from benchmarks.operator.assistants import assistant, change, path
from benchmarks.operator.template import Form, Template
from va_operator.owned import FIELD_MANAGER

Act = Callable[[str], Awaitable[Any]]


async def for_each(names: Iterable[str], act: Act, *, at_once: int) -> None:
    """Act on each name, on so many at the same time."""
    waiting = iter(tuple(names))

    async def work() -> None:
        for name in waiting:
            await act(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())


async def create_assistant(api: ApiClient, name: str, namespace: str, **spec: Any) -> str:
    """Create an assistant; return its UID."""
    body = json.dumps(assistant(name, namespace, **spec))
    answer = json.loads(await api.send("POST", path(namespace), body))
    uid: str = answer["metadata"]["uid"]
    return uid


async def change_assistant(api: ApiClient, name: str, namespace: str, edition: int) -> str:
    """Give an assistant another text; return its UID."""
    answer = await api.send("PATCH", path(namespace, name), change(edition), content=MERGE)
    uid: str = json.loads(answer)["metadata"]["uid"]
    return uid


async def write_all(
    api: ApiClient, template: Template, name: str, namespace: str, uid: str
) -> None:
    """Write the children of an assistant, then its status."""

    async def write(form: Form) -> None:
        where, body = form.fill(name, namespace, uid)
        await api.apply(where, body, FIELD_MANAGER)

    async def in_turn(forms: Iterable[Form]) -> None:
        for form in forms:
            await write(form)

    pods = [form for form in template.children if form.kind in {"ConfigMap", "Deployment"}]
    rest = [form for form in template.children if form not in pods]
    await asyncio.gather(in_turn(pods), *(write(form) for form in rest))
    await write(template.status)


async def pipeline(names: Iterable[str], ask: Act, write: Callable[[str, str], Awaitable[None]],
                   *, at_once: int) -> None:  # fmt: skip
    """Ask for each assistant on one side and write on the other, as a user and an operator do."""
    queue: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()

    async def asked(name: str) -> None:
        queue.put_nowait((name, await ask(name)))

    async def work() -> None:
        while (item := await queue.get()) is not None:
            await write(*item)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
        await for_each(names, asked, at_once=at_once)
        for _ in range(at_once):
            queue.put_nowait(None)
