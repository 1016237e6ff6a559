"""How a model is asked through a proxy, which alone knows where the model's host is."""

import base64
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.certificates import Authority, make_authority
from support.forward_proxy import ForwardProxy
from support.openai_stub import RIGHT_KEY, Stub, Turn, black_hole, error
from support.serving import Served, serve, wait_for
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.keys import GivenKey
from va_assistant.model import Model
from va_assistant.prompt import Query, build_prompt
from va_assistant.revision import ContextFile, Provider, Revision, model_settings
from va_assistant.settings import proxy_for

HOST = "model.test"
QUESTION = Query(question="Which instrument is it, a cello?")
ANSWER = "Ada plays the cello."
USER = "ada:s3cret/pass"
USER_IN_URL = "ada:s3cret%2Fpass"
TOKEN = base64.b64encode(USER.encode()).decode()

Ask = Callable[..., Model]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


@pytest.fixture(params=["https", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def upstream(scheme: str, authority: Authority) -> Iterator[Stub]:
    with Stub(tls=authority.server_side(HOST) if scheme == "https" else None) as running:
        yield running


@pytest.fixture
def proxy(upstream: Stub) -> Iterator[ForwardProxy]:
    with ForwardProxy({HOST: upstream.port}) as running:
        yield running


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, trusted: None, scheme: str) -> Iterator[Ask]:
    """Make a model at a host that only the proxy finds, with the proxy in the environment."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made: list[Model] = []

    def make(proxy_url: str, *, host: str = HOST) -> Model:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy_url)
        settings = model_settings(
            provider=Provider.OPENAI, name="stub", base_url=f"{scheme}://{host}/v1"
        )
        revision = Revision(
            name="r",
            instructions=None,
            files=(ContextFile(name="cv.md", text=ANSWER),),
            model=settings,
        )
        made.append(
            Model(settings, build_prompt(revision, settings), GivenKey(RIGHT_KEY), proxy_for)
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


ONLY_TUNNELS = pytest.mark.parametrize("scheme", ["https"], indirect=True)
ONLY_PLAIN = pytest.mark.parametrize("scheme", ["http"], indirect=True)


def deadline(seconds: float = 5) -> Deadline:
    return Deadline.after(seconds, gap=5)


def failure_of(of: Model, seconds: float = 5) -> Failure:
    with pytest.raises(Failure) as failure:
        of.answer(QUESTION, deadline(seconds))
    return failure.value


def is_tried(served: Served) -> bool:
    return bool(served.ready()["models"][0]["state"] != "Unknown")


def test_an_answer_and_a_stream_come_over_one_connection(
    upstream: Stub, proxy: ForwardProxy, model: Ask
) -> None:
    asked = model(proxy.url)
    for _ in range(3):
        assert asked.answer(QUESTION, deadline()).text == ANSWER
        streamed = asked.stream(QUESTION, deadline())
        assert "".join(piece.text for piece in streamed) == ANSWER
    assert {exchange.key for exchange in upstream.log} == {RIGHT_KEY}
    hosts = {exchange.headers.get("Host") or exchange.headers["host"] for exchange in upstream.log}
    assert hosts == {HOST}
    assert (proxy.connections, upstream.connections) == (1, 1)


@ONLY_TUNNELS
def test_tls_goes_through_a_tunnel_which_sees_no_key(proxy: ForwardProxy, model: Ask) -> None:
    proxy.user = USER
    model(f"http://{USER_IN_URL}@{proxy.address}").answer(QUESTION, deadline())
    [seen] = proxy.seen
    assert seen.line == "CONNECT model.test:443 HTTP/1.1"
    assert seen.headers == {"host": "model.test:443", "proxy-authorization": f"Basic {TOKEN}"}


@ONLY_PLAIN
def test_without_tls_the_whole_url_is_asked_for(proxy: ForwardProxy, model: Ask) -> None:
    proxy.user = USER
    asked = model(f"http://{USER_IN_URL}@{proxy.address}", host=f"{HOST}:8080")
    for _ in range(2):
        asked.answer(QUESTION, deadline())
    assert [seen.line for seen in proxy.seen] == [
        "POST http://model.test:8080/v1/chat/completions HTTP/1.1"
    ] * 2
    assert {seen.headers["host"] for seen in proxy.seen} == {"model.test:8080"}
    assert {seen.headers["proxy-authorization"] for seen in proxy.seen} == {f"Basic {TOKEN}"}


def test_what_is_for_the_proxy_never_reaches_the_model(
    upstream: Stub, proxy: ForwardProxy, model: Ask
) -> None:
    model(f"http://{USER_IN_URL}@{proxy.address}").answer(QUESTION, deadline())
    [exchange] = upstream.log
    assert "proxy" not in " ".join(exchange.headers).lower()


def test_a_proxy_without_a_user_gets_none(proxy: ForwardProxy, model: Ask) -> None:
    model(proxy.url).answer(QUESTION, deadline())
    assert "proxy-authorization" not in proxy.seen[0].headers


def test_a_host_without_a_proxy_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch, proxy: ForwardProxy, model: Ask
) -> None:
    monkeypatch.setenv("NO_PROXY", ".test")
    failure = failure_of(model(proxy.url))
    assert failure.reason is Reason.HOST_NOT_FOUND
    assert failure.message.startswith("model.test: ")
    assert proxy.connections == 0


@pytest.mark.parametrize("user", ["", "ada:wr0ng@"])
def test_a_proxy_that_wants_another_user_is_told_as_what_it_is(
    upstream: Stub, proxy: ForwardProxy, model: Ask, user: str
) -> None:
    proxy.user = USER
    failure = failure_of(model(f"http://{user}{proxy.address}"))
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert failure.state is ModelState.FAILED
    assert f"the proxy {proxy.address} makes no connection to model.test:" in failure.message
    assert failure.message.endswith(": it answered 407 Proxy Authentication Required")
    assert "ada" not in failure.message
    assert len(proxy.seen) == 1
    assert not upstream.log


@ONLY_TUNNELS
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "302 Found"),
        (403, "403 Forbidden"),
        (502, "502 Bad Gateway"),
        (503, "503 Service Unavailable"),
        (599, "599"),
    ],
)
def test_a_proxy_that_makes_no_tunnel_keeps_a_new_pod_out(
    upstream: Stub, proxy: ForwardProxy, model: Ask, status: int, said: str
) -> None:
    proxy.status = status
    failure = failure_of(model(proxy.url))
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert failure.state is ModelState.FAILED
    assert failure.message == (
        f"the proxy {proxy.address} makes no connection to model.test:443: it answered {said}"
    )
    assert not upstream.log


@ONLY_TUNNELS
def test_the_name_is_the_proxy_s_to_find(proxy: ForwardProxy, model: Ask) -> None:
    failure = failure_of(model(proxy.url, host="misspelt.test"))
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert "to misspelt.test:443: it answered 502" in failure.message


@ONLY_PLAIN
def test_an_error_of_a_proxy_that_passes_on_may_be_either_s(
    proxy: ForwardProxy, model: Ask
) -> None:
    proxy.status = 403
    message = failure_of(model(proxy.url)).message
    assert message == f"the provider or the proxy {proxy.address} answered 403: no"


@ONLY_TUNNELS
def test_an_error_that_came_through_the_tunnel_is_the_provider_s(
    upstream: Stub, proxy: ForwardProxy, model: Ask
) -> None:
    upstream.default = error(407, "odd")
    failure = failure_of(model(proxy.url))
    assert failure.reason is Reason.REQUEST_REFUSED
    assert failure.message == "the provider answered 407: odd"


def test_a_proxy_where_nobody_listens(proxy: ForwardProxy, model: Ask) -> None:
    with ForwardProxy({}) as gone:
        url, address = gone.url, gone.address
    failure = failure_of(model(url))
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert failure.message == f"the proxy {address}: Connection refused"


def test_a_proxy_whose_name_does_not_resolve(model: Ask) -> None:
    failure = failure_of(model("http://ada:s3cret@nobody.invalid:3128"))
    assert failure.reason is Reason.HOST_NOT_FOUND
    assert failure.message.startswith("the proxy nobody.invalid:3128: ")


def test_a_proxy_that_swallows_connections(monkeypatch: pytest.MonkeyPatch, model: Ask) -> None:
    monkeypatch.setattr("va_assistant.deadlines.CONNECT_SECONDS", 0.2)
    with black_hole() as port:
        failure = failure_of(model(f"http://127.0.0.1:{port}"), 30)
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert failure.message == f"the proxy 127.0.0.1:{port}: no connection in time"


@ONLY_TUNNELS
def test_a_proxy_that_does_not_answer_has_as_long_as_a_connection_has(
    monkeypatch: pytest.MonkeyPatch, proxy: ForwardProxy, model: Ask
) -> None:
    monkeypatch.setattr("va_assistant.deadlines.CONNECT_SECONDS", 0.2)
    proxy.hangs = True
    started = time.monotonic()
    failure = failure_of(model(proxy.url), 30)
    assert time.monotonic() - started < 3
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert failure.message == (
        f"model.test:443 through the proxy {proxy.address}: no connection in time"
    )


def test_a_proxy_that_does_not_answer_ends_with_the_question(
    proxy: ForwardProxy, model: Ask
) -> None:
    proxy.hangs = True
    started = time.monotonic()
    assert failure_of(model(proxy.url), 0.3).reason is Reason.TIMEOUT
    assert time.monotonic() - started < 2


@ONLY_TUNNELS
def test_an_answer_to_connect_that_drips_has_no_longer(
    monkeypatch: pytest.MonkeyPatch, proxy: ForwardProxy, model: Ask
) -> None:
    monkeypatch.setattr("va_assistant.deadlines.CONNECT_SECONDS", 0.3)
    proxy.drips = True
    started = time.monotonic()
    assert failure_of(model(proxy.url), 30).reason is Reason.CONNECTION_REFUSED
    assert time.monotonic() - started < 3


@ONLY_TUNNELS
def test_neither_has_tls_inside_a_tunnel(
    monkeypatch: pytest.MonkeyPatch, proxy: ForwardProxy, model: Ask
) -> None:
    monkeypatch.setattr("va_assistant.deadlines.CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy.ports = {HOST: silent.getsockname()[1]}
        started = time.monotonic()
        failure = failure_of(model(proxy.url), 30)
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert failure.message.endswith(f"through the proxy {proxy.address}: no connection in time")
    assert time.monotonic() - started < 3


@ONLY_TUNNELS
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "no HTTP", "half", "too much"],
)
def test_a_proxy_that_speaks_no_http(proxy: ForwardProxy, model: Ask, said: bytes) -> None:
    proxy.said = said
    failure = failure_of(model(proxy.url))
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert failure.message == f"the proxy {proxy.address}: no HTTP answer to CONNECT model.test:443"


def test_an_answer_that_hangs_inside_is_held_to_the_deadline(
    upstream: Stub, proxy: ForwardProxy, model: Ask
) -> None:
    upstream.default = Turn(delay=-1)
    started = time.monotonic()
    assert failure_of(model(proxy.url), 0.4).reason is Reason.TIMEOUT
    assert time.monotonic() - started < 2
    upstream.wait_for(lambda: upstream.log[0].client_left)


def test_an_answer_that_is_cut_inside_is_told(
    upstream: Stub, proxy: ForwardProxy, model: Ask
) -> None:
    proxy.cut_after = 3000
    upstream.default = Turn(text="x" * 10_000)
    failure = failure_of(model(proxy.url))
    assert failure.reason is Reason.CONNECTION_LOST
    assert len(upstream.log) == 1


@ONLY_TUNNELS
def test_a_tunnel_that_is_cut_before_tls_stands(proxy: ForwardProxy, model: Ask) -> None:
    proxy.cut_after = 20
    failure = failure_of(model(proxy.url))
    assert failure.reason is Reason.TLS_FAILED
    assert failure.message.startswith(f"model.test:443 through the proxy {proxy.address}: ")


@ONLY_TUNNELS
def test_the_certificate_must_be_the_model_s(
    upstream: Stub, proxy: ForwardProxy, model: Ask
) -> None:
    proxy.ports = {"other.test": upstream.port}
    failure = failure_of(model(proxy.url, host="other.test"))
    assert failure.reason is Reason.TLS_FAILED
    assert "other.test:443 through the proxy" in failure.message
    assert "not trusted: Hostname mismatch" in failure.message
    assert not upstream.log


def test_a_closed_connection_is_made_anew(upstream: Stub, proxy: ForwardProxy, model: Ask) -> None:
    upstream.turns(Turn(headers={"Connection": "close"}))
    asked = model(proxy.url)
    for _ in range(2):
        asked.answer(QUESTION, deadline())
    assert proxy.connections == 2


def test_no_failure_quotes_what_is_for_the_proxy(
    upstream: Stub, proxy: ForwardProxy, model: Ask
) -> None:
    upstream.default = error(500, f"got {TOKEN}")
    failure = failure_of(model(f"http://{USER_IN_URL}@{proxy.address}"))
    assert failure.message.endswith("answered 500: got …")


def test_a_variable_that_names_no_proxy_is_a_failure_and_nobody_is_asked(
    proxy: ForwardProxy, model: Ask, scheme: str
) -> None:
    asked = model(f"socks5://ada:s3cret@{proxy.address}")
    for _ in range(2):
        failure = failure_of(asked)
        assert failure.reason is Reason.HOST_NOT_FOUND
        assert failure.state is ModelState.FAILED
        assert failure.message.startswith(f"{scheme.upper()}_PROXY is no URL of a proxy: ")
        assert "s3cret" not in failure.message
    assert proxy.connections == 0


@ONLY_TUNNELS
@pytest.mark.parametrize("right", [True, False])
def test_a_pod_answers_through_its_proxy_and_shows_no_password(
    upstream: Stub,
    proxy: ForwardProxy,
    authority: Authority,
    tmp_path: Path,
    right: bool,
) -> None:
    proxy.user = USER if right else "ada:other"
    environment = {
        "https_proxy": f"http://{USER_IN_URL}@{proxy.address}",
        "no_proxy": "",
        "SSL_CERT_FILE": str(authority.file),
    }
    with serve(tmp_path, baseURL=f"https://{HOST}/v1", environment=environment) as served:
        wait_for(lambda: served.responds("/ready", 200 if right else 503) and is_tried(served))
        ready = served.ready()
        assert ready["reason"] == (None if right else "ConnectionRefused")
        reply = served.ask("What is her salary?")
        assert reply.status == (200 if right else 503)
        shown = [str(ready), reply.text, served.probe("/metrics").text, served.log()]
    for text in shown:
        assert "s3cret" not in text
        assert TOKEN not in text


def test_the_embedded_model_is_asked_without_a_proxy(stub: Stub, tmp_path: Path) -> None:
    stub.keys = None
    environment = {"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    with serve(tmp_path, stub, provider="Embedded", environment=environment) as served:
        served.wait_until_ready()
        assert served.ask().status == 200
