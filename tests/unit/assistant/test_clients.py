"""Who asks, as far as an address tells."""

import pytest

from va_assistant.clients import client_of

FORWARDED = "198.51.100.1, 203.0.113.9, 10.0.0.7"


@pytest.mark.parametrize(
    ("remote", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "::"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "unknown"),
        ("not-an-address", "unknown"),
    ],
)
def test_an_address_is_one_client_and_so_is_an_ipv6_network(remote: str, client: str) -> None:
    assert client_of(remote, "", proxies=0) == client


def test_what_a_client_says_of_itself_is_not_believed() -> None:
    assert client_of("192.0.2.7", FORWARDED, proxies=0) == "192.0.2.7"


@pytest.mark.parametrize(("proxies", "client"), [(1, "10.0.0.7"), (2, "203.0.113.9")])
def test_as_many_proxies_are_believed_as_the_owner_vouches_for(proxies: int, client: str) -> None:
    assert client_of("192.0.2.7", FORWARDED, proxies=proxies) == client


@pytest.mark.parametrize("forwarded", ["", " , ", "198.51.100.1"])
def test_who_came_around_the_proxies_is_the_other_end_of_the_connection(forwarded: str) -> None:
    assert client_of("192.0.2.7", forwarded, proxies=2) == "192.0.2.7"


def test_what_a_proxy_says_may_have_brackets_or_be_no_address() -> None:
    assert client_of("192.0.2.7", "[2001:db8::1]:443", proxies=1) == "2001:db8::"
    assert client_of("192.0.2.7", "203.0.113.9:51234", proxies=1) == "203.0.113.9"
    assert client_of("192.0.2.7", "x" * 100_000, proxies=1) == "unknown"
