"""What kopf finds only when it starts is waited for."""

import asyncio
from typing import Any

import pytest

from va_operator import discovery
from va_operator.discovery import wait_until_served
from va_operator.errors import ClusterFailure
from va_operator.kinds import ASSISTANTS, Resource


class Answers:
    """Whether the API is served, look by look."""

    def __init__(self, *answers: bool | ClusterFailure) -> None:
        self.left = list(answers)

    async def serves(self, resource: Resource) -> bool:
        assert resource == ASSISTANTS
        answer = self.left.pop(0)
        if isinstance(answer, ClusterFailure):
            raise answer
        return answer


def test_it_waits_until_the_api_is_served_and_names_each_obstacle_once(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(discovery, "LOOK_SECONDS", 0.001)
    away = ClusterFailure(503, "not now")
    answers = Answers(away, away, False, False, away, True, False)
    asyncio.run(asyncio.wait_for(wait_until_served(answers), timeout=5))
    assert answers.left == [False], "it looks no more"
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "503: not now",
        "it is not installed: apply crds/",
        "503: not now",
    ]
