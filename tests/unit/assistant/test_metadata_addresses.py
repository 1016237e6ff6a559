"""Addresses that no model is asked at, however they are written."""

import socket
from pathlib import Path
from typing import Any

import pytest

from support.web_client import web_client
from va_assistant.connecting import Route
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure
from va_assistant.metadata_addresses import is_metadata
from va_assistant.proxies import parse_proxy


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254",
        "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16",
    ],
)  # fmt: skip
def test_clouds_tell_of_themselves_there(address: str) -> None:
    assert is_metadata(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "192.168.1.2", "100.64.0.1", "::1", "fd00::1", "ollama"]
)
def test_models_may_live_there(address: str) -> None:
    assert not is_metadata(address)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[::ffff:a9fe:a9fe]", "2852039166", "0xa9fea9fe", "[fe80::1]"]
)
def test_nothing_is_sent_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    asked = watched(monkeypatch)
    with web_client(
        tmp_path / "revision", f"http://{host}/v1", context="Ada plays the cello."
    ) as web:
        response = web.post("/", data="What is her salary?")
    assert response.status_code == 503
    assert response.text.startswith("ConnectionRefused: ")
    assert not asked


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "fe80::1"])
def test_no_proxy_is_asked_for_it_either(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    asked = watched(monkeypatch)
    proxy = parse_proxy("http://127.0.0.1:3128", variable="HTTP_PROXY")
    route = Route(host=host, port=80, secure=False, proxy=proxy)
    with pytest.raises(Failure) as failure:
        route.connect(Deadline.after(5, gap=5), None)
    assert "never asked" in failure.value.message
    assert not asked


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list of the addresses that are connected to from now on: none is reached."""
    asked: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    return asked


def test_a_name_that_leads_there_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = watched(monkeypatch)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with web_client(
        tmp_path / "revision", "http://model.example/v1", context="Ada plays the cello."
    ) as web:
        response = web.post("/", data="What is her salary?")
    assert response.text.startswith("ConnectionRefused: ")
    assert not asked
