from collections.abc import Iterator
from pathlib import Path

import pytest

from support.openai_stub import Stub
from support.serving import Served, serve


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as running:
        yield running


@pytest.fixture
def served(stub: Stub, tmp_path: Path) -> Iterator[Served]:
    """An assistant as a process of its own, ready, with the stub as its model."""
    with serve(tmp_path, stub) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for all tests of a module: they leave it as it was."""
    with Stub() as stub, serve(tmp_path_factory.mktemp("shared"), stub) as running:
        running.wait_until_ready()
        yield running
