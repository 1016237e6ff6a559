"""Who may ask and how often, asked of a whole process: what it costs its owner is bounded."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.openai_stub import RIGHT_KEY, Stub, Turn
from support.serving import Served, serve, wait_for

TOKEN = "canary-token-4f1c"
QUESTION = "canary-question: which instrument is it, a cello?"
ANSWER = "canary-answer: Ada plays the cello in a string quartet."
SHOP = "https://shop.example"


@contextmanager
def serving(stub: Stub, folder: Path, **environment: str) -> Iterator[Served]:
    """Serve with the limits that hold where nothing is said, and what is given."""
    limits = {"REQUESTS_PER_MINUTE_PER_CLIENT": "60", "REQUESTS_PER_MINUTE": "300"}
    variables = {f"VA_ASSISTANT_{name}": value for name, value in (limits | environment).items()}
    with serve(folder, stub, environment=variables) as served:
        served.wait_until_ready()
        stub.log.clear()
        yield served


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def closed(stub: Stub, tmp_path: Path, tokens: Path) -> Iterator[Served]:
    with serving(stub, tmp_path, TOKEN_FILE=str(tokens)) as served:
        yield served


def test_without_a_token_nobody_is_asked(closed: Served, stub: Stub) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"X_VA_Token": "wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": f"token={TOKEN}"},
    ):
        refused = closed.ask(QUESTION, **headers)
        assert refused.status == 401, headers
        assert refused.text.startswith("Unauthorized: ")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    as_json = closed.ask(b'{"question": "x"}', Content_Type="application/json")
    assert as_json.json["error"]["reason"] == "Unauthorized"
    assert closed.ask(QUESTION, path=f"/?token={TOKEN}").status == 401
    assert not stub.log
    counted = 'va_assistant_questions_total{reason="Unauthorized",result="failed"} 7.0'
    assert counted in closed.probe("/metrics").text
    for path in ("/about", "/.env", "/v1/models"):
        assert closed.ask(None, "GET", path).status == 401
    assert counted in closed.probe("/metrics").text, "nobody has asked"


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {TOKEN}"}, {"X_VA_Token": TOKEN}], ids=str
)
def test_with_a_token_the_question_is_answered(closed: Served, headers: dict[str, str]) -> None:
    assert closed.ask(QUESTION, **headers).status == 200


def test_without_a_token_it_tells_that_it_lives_and_no_more(closed: Served) -> None:
    assert closed.ask(method="GET", path="/health").status == 200
    assert closed.ask(method="GET").status == 200
    for method, path in (("GET", "/v1/models"), ("POST", "/health"), ("PUT", "/")):
        assert closed.ask(method=method, path=path).status == 401


def test_a_token_that_is_changed_counts_at_once_and_one_that_is_gone_for_nobody(
    closed: Served, tokens: Path, stub: Stub
) -> None:
    tokens.write_text(f"new\n{TOKEN}\n")
    assert closed.ask(X_VA_Token="new").status == closed.ask(X_VA_Token=TOKEN).status == 200
    tokens.write_text("new\n")
    assert closed.ask(X_VA_Token=TOKEN).status == 401
    stub.log.clear()
    tokens.unlink()
    for headers in ({}, {"X_VA_Token": TOKEN}, {"X_VA_Token": "new"}):
        refused = closed.ask(**headers)
        assert refused.status == 503
        assert refused.text.startswith("TokenMissing: ")
        assert refused.headers["Retry-After"] == "30"
    assert not stub.log


def test_a_pod_says_of_itself_that_nobody_may_ask(closed: Served, tokens: Path) -> None:
    assert closed.ready()["closed"] is None
    for content in ("", None):
        if content is None:
            tokens.unlink()
        else:
            tokens.write_text(content)
        ready = closed.probe("/ready")
        assert ready.json["closed"]["reason"] == "TokenMissing"
        assert ready.status == 200, "earlier pods, perhaps without a token, would stay"
        assert TOKEN not in ready.text
    tokens.write_text("new")
    assert closed.ready()["closed"] is None


def test_strangers_do_not_use_up_the_limit_of_those_who_may_ask(
    stub: Stub, tmp_path: Path, tokens: Path
) -> None:
    limits = {"REQUESTS_PER_MINUTE_PER_CLIENT": "2", "REQUESTS_PER_MINUTE": "2"}
    with serving(stub, tmp_path, TOKEN_FILE=str(tokens), **limits) as served:
        for _ in range(10):
            assert served.ask().status == 401
        assert served.ask(X_VA_Token=TOKEN).status == 200


def test_abuse_costs_no_more_than_the_limit(stub: Stub, tmp_path: Path) -> None:
    """Ten times what is allowed, from eight clients at once, all of one address."""
    started = time.monotonic()
    outcomes: Counter[int] = Counter()
    waits: set[int] = set()
    with serving(stub, tmp_path) as served:

        def abuse() -> None:
            for number in range(75):
                # No header makes another client of it.
                reply = served.ask(QUESTION, X_Forwarded_For=f"192.0.2.{number}")
                outcomes[reply.status] += 1
                if reply.status == 429:
                    assert reply.text.startswith("TooManyRequests: ")
                    waits.add(int(reply.headers["Retry-After"]))

        threads = [threading.Thread(target=abuse) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        metrics = served.probe("/metrics").text
    allowed = 60 * (1 + (time.monotonic() - started) / 60) + 1
    assert sum(outcomes.values()) == 600
    assert set(outcomes) == {200, 429}
    assert len(stub.log) == outcomes[200] <= allowed
    assert waits <= {1}
    refused = f'result="failed"}} {float(outcomes[429])}'
    assert f'va_assistant_questions_total{{reason="TooManyRequests",{refused}' in metrics


def test_many_clients_together_cost_no_more_than_the_limit_of_all(
    stub: Stub, tmp_path: Path
) -> None:
    limits = {"REQUESTS_PER_MINUTE": "5", "TRUSTED_PROXIES": "1"}
    with serving(stub, tmp_path, **limits) as served:
        statuses = [
            served.ask(QUESTION, X_Forwarded_For=f"192.0.2.{number}").status for number in range(50)
        ]
    assert statuses[:5] == [200] * 5
    assert len(stub.log) == statuses.count(200) <= 6


def test_behind_a_proxy_that_is_vouched_for_each_client_has_its_own_limit(
    stub: Stub, tmp_path: Path
) -> None:
    limits = {"REQUESTS_PER_MINUTE_PER_CLIENT": "1", "TRUSTED_PROXIES": "1"}
    with serving(stub, tmp_path, **limits) as served:
        assert served.ask(X_Forwarded_For="192.0.2.1").status == 200
        assert served.ask(X_Forwarded_For="10.9.9.9, 192.0.2.1").status == 429
        assert served.ask(X_Forwarded_For="192.0.2.2").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Content_Type": "text/plain"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1", "Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_a_page_of_another_site_makes_no_browser_ask(
    shared: Served, headers: dict[str, str]
) -> None:
    refused = shared.ask(QUESTION, **headers)
    assert refused.status == 403
    assert refused.text.startswith("CrossSite: ")
    before = shared.ask(method="OPTIONS", Access_Control_Request_Method="POST", **headers)
    for reply in (refused, before):
        assert not any(name.startswith("Access-Control") for name in reply.headers)


def test_a_page_of_its_own_and_a_program_may_ask(shared: Served) -> None:
    assert shared.ask(QUESTION).status == 200
    assert shared.ask(QUESTION, Origin=f"http://127.0.0.1:{shared.port}").status == 200


def test_a_page_that_the_owner_names_may_ask_and_read_the_answer(
    stub: Stub, tmp_path: Path, tokens: Path
) -> None:
    with serving(stub, tmp_path, ALLOWED_ORIGINS=f'["{SHOP}"]', TOKEN_FILE=str(tokens)) as served:
        before = served.ask(
            method="OPTIONS",
            Origin=SHOP,
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers="authorization,content-type",
        )
        assert before.status == 200
        assert before.headers["Access-Control-Allow-Origin"] == SHOP
        assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
        answer = served.ask(Origin=SHOP, Sec_Fetch_Site="cross-site", X_VA_Token=TOKEN)
        refused = served.ask(Origin=SHOP, Sec_Fetch_Site="cross-site")
        other = served.ask(Origin="https://evil.example", X_VA_Token=TOKEN)
    assert (answer.status, refused.status, other.status) == (200, 401, 403)
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert refused.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Origin" not in other.headers
    assert other.headers["Vary"] == "Origin"


def test_a_question_may_be_as_long_as_the_owner_says(stub: Stub, tmp_path: Path) -> None:
    with serving(stub, tmp_path, QUESTION_BYTES="1000") as served:
        assert served.ask("x" * 1000).status == 200
        too_long = served.ask("x" * 1001)
        as_json = served.ask(b'{"question": "%b"}' % (b"x" * 1001), Content_Type="application/json")
    assert too_long.text == "QuestionTooLarge: the question must be at most 1000 bytes\n"
    assert (too_long.status, as_json.status) == (413, 413)


def test_nothing_that_it_says_holds_token_key_question_or_answer(
    stub: Stub, tmp_path: Path, tokens: Path
) -> None:
    stub.default = Turn(text=ANSWER)
    said = []
    with serving(
        stub,
        tmp_path,
        TOKEN_FILE=str(tokens),
        REQUESTS_PER_MINUTE_PER_CLIENT="3",
    ) as served:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for _ in range(3):
            assert served.ask(QUESTION, **bearer).status == 200
        for headers in (
            bearer,
            {},
            {"X_VA_Token": f"{TOKEN}x"},
            {"Authorization": f"Basic {TOKEN}"},
            {**bearer, "Origin": "https://evil.example"},
        ):
            refused = served.ask(QUESTION, **headers)
            assert refused.status in {401, 403, 429}
            said.append(refused.text + str(refused.headers))
        tokens.unlink()
        said.append(served.ask(QUESTION, **bearer).text)
        said += [served.probe(path).text for path in ("/metrics", "/ready", "/health")]
        wait_for(lambda: "TokenMissing" in served.log())
        said.append(served.log())
    for text in said:
        for secret in ("canary", RIGHT_KEY, TOKEN, "Ada plays"):
            assert secret not in text
