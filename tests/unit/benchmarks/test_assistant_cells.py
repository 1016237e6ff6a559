from benchmarks.assistant.cells import Cell, added, cells, failures, middle, summary
from benchmarks.assistant.load import Result, fault_of
from benchmarks.assistant.responses import Response
from benchmarks.assistant.ways import Way


def test_each_setting_comes_once() -> None:
    names = [cell.name for cell in cells([0.0, 0.2], [1, 16, 64])]
    assert len(set(names)) == len(names) == 24
    assert "200 ms, 50 tokens, streamed, 64 clients" in names


def test_a_paced_answer_takes_its_delay_and_its_gaps() -> None:
    assert Cell(tokens=64, delay=0.0, stream=True, clients=1, gap=0.02).ideal == 1280
    assert Cell(tokens=1, delay=0.2, stream=False, clients=1).ideal == 200


def test_a_stream_is_good_only_with_its_last_word_and_its_end() -> None:
    way = Way(name="assistant", port=1, end_mark="event: done")
    job = Cell(tokens=2, delay=0.0, stream=True, clients=3).job(
        way, "Lisbon is", seconds=2, warm_seconds=1
    )
    assert job.expect == ("is", "event: done")
    assert "Accept: text/event-stream\r\n" in job.request


def test_processor_time_is_of_all_requests_also_those_of_the_warm_up() -> None:
    result = Result(seconds=2.0, asked=8, times=[1.0, 2.0, 3.0, 4.0], firsts=[1.0] * 4)
    found = summary(result, cpu_seconds=0.016)
    assert found["cpu_ms"] == 2.0
    assert found["rate"] == 2.0
    assert found["p50"] == 2.5
    assert found["p99"] is None
    assert found["worst"] == 4.0


def test_what_is_added_is_the_median_of_the_differences_of_each_round() -> None:
    own = [{"p50": 3.0}, {"p50": 30.0}, {"p50": 4.5}]
    direct = [{"p50": 1.0}, {"p50": 20.0}, {"p50": 1.5}]
    assert added(own, direct, "p50") == 3.0
    assert added([{"p99": None}], [{"p99": 1.0}], "p99") is None
    assert middle(own, "p50") == 4.5


def test_a_round_with_failures_counts_each() -> None:
    assert failures([{"failures": {"cut": 2, "no response": 1}}, {"failures": {}}]) == 3


def test_an_answer_without_its_last_word_is_a_failure() -> None:
    response = Response()
    response.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nLisbon")
    assert fault_of(response, [b"Lisbon"]) is None
    assert fault_of(response, [b"Lisbon", b"[DONE]"]) == "without [DONE]"
    assert fault_of(Response(), []) == "no response"
