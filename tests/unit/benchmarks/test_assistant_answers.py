import json

from benchmarks.assistant.answers import TEXT, grouped, pieces, stream_end, whole, words
from benchmarks.assistant.responses import Response


def test_the_last_word_of_each_answer_stands_nowhere_else_in_it() -> None:
    """So that an answer that holds it is known to be whole."""
    said = words(TEXT.read_text(), 64)
    assert said.count(said[49]) == said.count(said[63]) == 1


def test_an_answer_longer_than_the_text_begins_it_again() -> None:
    assert words("one two", 5) == ["one", "two", "one", "two", "one"]


def test_a_token_may_be_several_words() -> None:
    assert grouped(["one", "two", "three"], 2) == ["one two", "three"]


def test_the_streamed_answer_is_the_whole_one() -> None:
    said = ["Lisbon", "is", "where"]
    answer = json.loads(whole(said).partition(b"\r\n\r\n")[2])
    body = b"".join(pieces(said)) + stream_end(3, usage=True)
    events = [line[6:] for line in body.split(b"\r\n") if line.startswith(b"data: {")]
    chunks = [json.loads(event) for event in events]
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert text == answer["choices"][0]["message"]["content"] == "Lisbon is where"
    assert chunks[-1]["usage"] == answer["usage"]
    assert body.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_no_usage_is_told_unasked() -> None:
    assert b"usage" not in stream_end(3, usage=False)


def test_a_response_is_whole_when_its_length_has_come() -> None:
    response = Response()
    response.feed(b"HTTP/1.1 200 OK\r\nContent-")
    response.feed(b"Length: 5\r\n\r\nLis")
    assert response.begun
    assert not response.whole
    response.feed(b"bo")
    assert response.whole
    assert response.status == 200
    assert response.holds(b"Lisbo")
    assert not response.closes


def test_a_chunked_response_is_whole_after_its_last_chunk() -> None:
    response = Response()
    response.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    assert not response.begun
    response.feed(b"".join(pieces(["Lisbon"])))
    assert response.begun
    assert not response.whole
    response.feed(stream_end(1, usage=False))
    assert response.whole
    assert response.holds(b"Lisbon")


def test_a_response_without_a_length_ends_with_its_connection() -> None:
    response = Response()
    response.feed(b"HTTP/1.0 200 OK\r\n\r\nLis")
    assert not response.whole
    response.end()
    assert response.whole
    assert response.closes


def test_a_response_that_is_cut_is_not_whole() -> None:
    response = Response()
    response.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nLis")
    response.end()
    assert not response.whole


def test_the_words_of_a_head_are_not_in_the_body() -> None:
    response = Response()
    response.feed(b"HTTP/1.1 503 Lisbon\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    assert response.status == 503
    assert not response.holds(b"Lisbon")
    assert response.closes
