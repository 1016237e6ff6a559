"""The record of all faults that were tried, which is printed at the end of a run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from support.cluster import Cluster
from support.stage import Stage, on_stage
from support.two_nodes import TwoNodes, bring_up


@dataclass
class Tried:
    """What became of a fault: how often it was tried, what was lost, how long recovery took."""

    times: int = 0
    lost: int | None = None
    """None where the fault loses nothing that could be counted: the test fails or does not."""

    seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        lost = "-" if self.lost is None else str(self.lost)
        if not self.seconds:
            return f"{self.times:6d} {lost:>5}"
        known = sorted(self.seconds)
        middle, worst = known[len(known) // 2], known[-1]
        return f"{self.times:6d} {lost:>5} {middle:9.1f} {worst:9.1f}"


_RECORD = pytest.StashKey[dict[str, Tried]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RECORD] = {}


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Record that a fault was tried: how often, what was lost, and seconds until it was over."""

    def record(
        fault: str, *, times: int = 1, lost: int | None = None, recovery: float | None = None
    ) -> None:
        tried = request.config.stash[_RECORD].setdefault(fault, Tried())
        tried.times += times
        if lost is not None:
            tried.lost = (tried.lost or 0) + lost
        tried.seconds += [] if recovery is None else [recovery]

    return record


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    record = config.stash[_RECORD]
    if not record:
        return
    width = max(map(len, record))
    terminalreporter.section("faults")
    terminalreporter.line(f"{'fault':{width}}  tried  lost  median s   worst s")
    for fault, tried in record.items():
        terminalreporter.line(f"{fault:{width}} {tried}")


@pytest.fixture(scope="session")
def two_nodes() -> Iterator[TwoNodes]:
    """A cluster whose nodes, control plane and API may come to harm."""
    with bring_up() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def stage(
    cluster: Cluster, no_other_operator: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A stage for all tests of a module; each leaves the operator running."""
    with on_stage(cluster, tmp_path_factory.mktemp("stage")) as stage:
        yield stage
