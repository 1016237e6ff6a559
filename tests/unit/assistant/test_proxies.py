"""Which proxy the environment names for a model's URL."""

import base64
from urllib.parse import quote

import pytest

from va_assistant.proxies import InvalidProxyError, Proxy, parse_proxy
from va_assistant.settings import proxy_for

MODEL = "https://model.test/v1"
ADDRESS = Proxy("proxy.test", 3128)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_url_s_scheme_is_taken(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://proxy.test:3128")
    assert proxy_for(MODEL) == ADDRESS
    assert proxy_for("http://model.test/v1") is None


def test_a_plain_url_has_a_proxy_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128/")
    assert proxy_for("http://model.test/v1") == ADDRESS
    assert proxy_for(MODEL) is None


def test_lower_case_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://other.test:3128")
    assert proxy_for(MODEL) == ADDRESS


def test_without_a_variable_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for(MODEL) is None
    monkeypatch.setenv("HTTPS_PROXY", "")
    assert proxy_for(MODEL) is None


@pytest.mark.parametrize(
    ("without", "is_asked_directly"),
    [
        ("model.test", True),
        ("test", True),
        (".test", True),
        ("other.test, model.test", True),
        ("model.test:443", True),
        ("MODEL.TEST", True),
        ("*", True),
        ("model.test:8443", False),
        ("odel.test", False),
        ("other.test", False),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_what_needs_no_proxy_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch, name: str, without: str, is_asked_directly: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv(name, without)
    assert (proxy_for(MODEL) is None) is is_asked_directly


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::1]", "localhost", "a.localhost"])
def test_what_runs_beside_the_assistant_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "not even a URL")
    assert proxy_for(f"http://{host}:8080/v1") is None


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://proxy", "proxy", 80),
        ("HTTP://proxy:3128", "proxy", 3128),
        ("http://10.0.0.7:3128/", "10.0.0.7", 3128),
        ("http://[fd00::7]:3128", "fd00::7", 3128),
        ("http://pröxy.test", "pröxy.test", 80),
    ],
)
def test_a_proxy_s_url_names_host_and_port(url: str, host: str, port: int) -> None:
    assert parse_proxy(url, variable="HTTP_PROXY") == Proxy(host, port)


@pytest.mark.parametrize("pair", ["ada:lace", "ada:l@ce:#/?%ü", "ada:", ":lace"])
def test_user_and_password_are_decoded(pair: str) -> None:
    user, password = pair.split(":", 1)
    proxy = parse_proxy(f"http://{quote(user, '')}:{quote(password, '')}@proxy", variable="X")
    assert proxy.authorization == f"Basic {base64.b64encode(pair.encode()).decode()}"
    assert proxy.authorization not in repr(proxy)
    assert str(proxy) == "the proxy proxy:80"
    assert proxy.token
    assert proxy.token not in f"{proxy!r}{proxy}"


@pytest.mark.parametrize(
    "url",
    [
        "proxy.test:3128",
        "ada:s3cret@proxy.test:3128",
        "https://ada:s3cret@proxy.test:3128",
        "socks5://ada:s3cret@proxy.test:1080",
        "http://ada:s3#cret@proxy.test:3128",
        "http://ada:12#s3cret@proxy.test:3128",
        "http://ada:12/s3cret@proxy.test:3128",
        "http://ada:12?s3cret@proxy.test:3128",
        "http://s3cret%40proxy.test:3128",
        "http://ada:s3cret%40proxy.test:3128",
        "http://ada:s3cret@proxy.test:port",
        "http://ada:s3cret@proxy.test:99999",
        "http://ada:s3cret@proxy.test:0",
        "http://ada:s3cret@pro xy.test",
        "http://ada:s3cret@[::1",
        "http://ada:s3cret@",
        "http:///s3cret",
        "http://",
    ],
)
def test_what_names_no_proxy_is_told_by_its_variable_without_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(InvalidProxyError) as error:
        proxy_for(MODEL)
    assert str(error.value).startswith("HTTPS_PROXY is no URL of a proxy: it must be http://HOST")
    assert "s3" not in str(error.value)
    assert "ada" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None
