"""Bursts: many assistants created, changed or deleted at once, by one contestant."""

import time
from collections.abc import Iterable
from typing import Any

from benchmarks.operator import assistants
from benchmarks.operator.limit import (
    change_assistant,
    create_assistant,
    for_each,
    pipeline,
    write_all,
)
from benchmarks.operator.outcome import Outcome, outcome_of
from benchmarks.operator.processes import Running
from benchmarks.operator.request_metrics import writes
from benchmarks.operator.sightings import Story
from benchmarks.operator.stage import AT_ONCE, Stage
from benchmarks.usage import cpu_seconds

LIMIT, OPERATOR, PLAIN_KOPF = "bare client", "operator", "plain kopf"


def patience(count: int) -> float:
    """Return the seconds after which so many are given up: at 10 a second and a minute."""
    return 60 + count / 10


async def burst(
    stage: Stage, who: str, what: str, namespace: str, names: Iterable[str], *,
    writer: Running | None, service: str, edition: int = 1,
) -> Outcome:  # fmt: skip
    """Create or change assistants as fast as they are taken, until the last status is written.

    ``writer`` is the process that writes what belongs to them; None for the bare client, which
    does both in this process.
    """
    names = list(names)
    template = stage.templates[service, what]

    async def ask(name: str) -> str:
        if what == "create":
            return await create_assistant(stage.api, name, namespace, service=service)
        return await change_assistant(stage.api, name, namespace, edition)

    async def write(name: str, uid: str) -> None:
        await write_all(stage.api, template, name, namespace, uid)

    before, begin = await stage.calls(), time.monotonic()
    used = time.process_time() if writer is None else cpu_seconds(writer.process.pid)
    if writer is None:
        await pipeline(names, ask, write, at_once=AT_ONCE)
        used = time.process_time() - used
    else:
        await for_each(names, ask, at_once=AT_ONCE)

    def done(story: Story) -> Any:
        return story.status_at and story.written_at(template.kinds)

    stories = await stage.seen(
        namespace, names, since=begin, done=done, within=patience(len(names)), writer=writer
    )
    if writer is not None:
        used = cpu_seconds(writer.process.pid) - used
    found = outcome_of(
        who, what, stories.values(), template.kinds,
        begin=begin, cpu_seconds=used, calls=await stage.calls_since(before),
    )  # fmt: skip
    stage.say(
        f"  {who}: {what} {found.count} in {found.seconds:.1f} s, {found.rate:.1f}/s, "
        f"{found.writes_each:g} writes each, {found.cpu_ms_each:.1f} ms processor each"
    )
    return found


async def delete_all(
    stage: Stage, who: str, namespace: str, names: Iterable[str], *, kinds: tuple[str, ...]
) -> dict[str, Any]:
    """Delete assistants, and wait until the garbage collector has taken their children.

    Returns figures; `others` are writes that are no deletion, of which there should be none.
    """
    names = list(names)
    before, begin = await stage.calls(), time.monotonic()

    async def delete(name: str) -> None:
        await stage.api.send("DELETE", assistants.path(namespace, name))

    await for_each(names, delete, at_once=AT_ONCE)
    asked = time.monotonic() - begin
    stories = await stage.seen(
        namespace, names, since=begin, done=lambda story: story.gone_at(kinds),
        within=patience(len(names)),
    )  # fmt: skip
    calls = await stage.calls_since(before)
    seconds = max(story.gone_at(kinds) or 0 for story in stories.values()) - begin
    others = writes(calls) - sum(n for call, n in calls.items() if "DELETE" in call.verb)
    stage.say(f"  {who}: delete {len(names)} in {seconds:.1f} s, {others} other writes")
    return {
        "who": who, "count": len(names), "asked_seconds": asked, "seconds": seconds,
        "rate": len(names) / seconds, "others": others,
        "calls": {str(call): n for call, n in sorted(calls.items())},
    }  # fmt: skip
