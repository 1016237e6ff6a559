"""Which web pages may ask."""

import pytest

from va_assistant.errors import Failure, Reason
from va_assistant.origins import check_origin, cors_headers

SHOP = "https://shop.example"
ALLOWED = frozenset({SHOP})


def may_ask(
    origin: str = "",
    site: str = "",
    host: str = "node:30001",
    allowed: frozenset[str] = frozenset(),
) -> bool:
    try:
        check_origin(origin, site=site, host=host, allowed=allowed)
    except Failure as failure:
        return failure.reason is not Reason.CROSS_SITE
    return True


@pytest.mark.parametrize(
    ("origin", "site", "host"),
    [
        ("", "", "node:30001"),  # curl, the command line, every library
        ("", "none", "node:30001"),  # typed into the address bar
        ("http://node:30001", "", "node:30001"),
        ("http://NODE:30001", "", "node:30001"),
        ("http://node", "", "node:80"),
        ("https://ada.example", "", "ada.example"),  # TLS ended in front
        ("https://ada.example", "same-origin", "ada.example"),
        ("http://localhost:8001", "same-origin", "10.96.0.1:8000"),  # kubectl proxy
        ("http://[2001:db8::1]:30001", "", "[2001:db8::1]:30001"),
    ],
)
def test_no_page_or_a_page_of_its_own_may_ask(origin: str, site: str, host: str) -> None:
    assert may_ask(origin, site, host)


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("https://evil.example", "cross-site"),
        ("https://evil.example", ""),
        ("", "cross-site"),
        ("null", ""),
        ("null", "cross-site"),
        ("http://node:30002", ""),
        ("http://node:30002", "same-site"),
        ("http://node:30001.evil.example", ""),
        ("http://evil.example/node:30001", ""),
        ("http://node:30001@evil.example", ""),
        ("//node:30001", "cross-site"),
        ("http://[", ""),
        ("file://", ""),
    ],
)
def test_a_page_of_another_origin_may_not(origin: str, site: str) -> None:
    assert not may_ask(origin, site)


def test_a_page_that_the_owner_names_may_ask_and_no_other() -> None:
    assert may_ask(SHOP, "cross-site", allowed=ALLOWED)
    assert may_ask("https://SHOP.example", "", allowed=ALLOWED)
    for origin in ("http://shop.example", "https://shop.example:444", f"{SHOP}.evil.example", ""):
        assert not may_ask(origin, "cross-site", allowed=ALLOWED)


def test_without_allowed_origins_nothing_is_said_of_any() -> None:
    assert cors_headers(SHOP, frozenset(), preflight=True) == {}


def test_an_allowed_page_is_told_so_and_never_with_credentials() -> None:
    before = cors_headers(SHOP, ALLOWED, preflight=True)
    after = cors_headers(SHOP, ALLOWED, preflight=False)
    assert before["Access-Control-Allow-Origin"] == SHOP
    assert "POST" in before["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type", "X-VA-Token", "*"} <= set(
        before["Access-Control-Allow-Headers"].split(", ")
    )
    assert after["Access-Control-Allow-Origin"] == SHOP
    for headers in (before, after):
        assert headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("origin", ["", "null", "*", "https://evil.example"])
def test_any_other_page_is_told_nothing(origin: str) -> None:
    for preflight in (True, False):
        assert cors_headers(origin, ALLOWED, preflight=preflight) == {"Vary": "Origin"}
