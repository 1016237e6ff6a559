"""A stub assistant for each test that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.assistant_stub import AssistantStub
from support.cli_run import FakeCluster, an_assistant

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def stub() -> Iterator[AssistantStub]:
    with AssistantStub() as running:
        yield running


@pytest.fixture
def cluster(stub: AssistantStub) -> FakeCluster:
    """A cluster with one assistant, which answers where its status says."""
    return FakeCluster([an_assistant(url=stub.url)])
