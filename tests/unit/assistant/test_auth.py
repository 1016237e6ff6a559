"""Who may ask at all: whoever has one of the tokens, and nobody where there are none."""

from pathlib import Path

import pytest

from va_assistant.auth import Tokens
from va_assistant.errors import Failure, Reason

TOKEN = "canary-token-1"
OTHER = "canary-token-2"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def refusal(path: Path, *, authorization: str = "", token: str = "") -> Failure | None:
    try:
        Tokens(path).check(authorization=authorization, token=token)
    except Failure as failure:
        return failure
    return None


@pytest.mark.parametrize(
    "given",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer   {TOKEN} "},
        {"token": TOKEN},
        {"authorization": "Basic dXNlcjpwYXNz", "token": TOKEN},
        {"authorization": f"Bearer {OTHER}", "token": TOKEN},
    ],
)
def test_the_token_is_taken_in_either_header(path: Path, given: dict[str, str]) -> None:
    assert refusal(path, **given) is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {OTHER}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN} {TOKEN}"},
        {"token": f"{TOKEN}\n{OTHER}"},
        {"token": "\u20ac\x00"},
        {"token": " "},
    ],
)
def test_nothing_else_is(path: Path, given: dict[str, str]) -> None:
    found = refusal(path, **given)
    assert found
    assert (found.reason, found.status) == (Reason.UNAUTHORIZED, 401)
    assert "canary" not in found.message


def test_several_lines_are_several_tokens_so_that_one_can_be_changed_for_another(
    path: Path,
) -> None:
    assert refusal(path, token=OTHER)
    path.write_text(f"\n  {TOKEN}\r\n\n{OTHER}  \n")
    assert refusal(path, token=TOKEN) is None
    assert refusal(path, token=OTHER) is None
    path.write_text(OTHER)
    assert refusal(path, token=TOKEN)


@pytest.mark.parametrize("content", [None, b"", b" \n\r\n"])
def test_a_file_that_is_missing_or_empty_lets_nobody_in(path: Path, content: bytes | None) -> None:
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for given in ({}, {"token": TOKEN}, {"authorization": "Bearer "}):
        found = refusal(path, **given)
        assert found
        assert (found.reason, found.status) == (Reason.TOKEN_MISSING, 503)
        assert found.retry_after == 30
    fault = Tokens(path).fault()
    assert fault
    assert fault.reason is Reason.TOKEN_MISSING


def test_a_file_with_a_token_has_no_fault(path: Path) -> None:
    assert Tokens(path).fault() is None


def test_a_folder_that_is_no_file_lets_nobody_in(tmp_path: Path) -> None:
    found = refusal(tmp_path, token=TOKEN)
    assert found
    assert found.reason is Reason.TOKEN_MISSING


def test_a_token_may_be_of_bytes_that_are_no_text(path: Path) -> None:
    path.write_bytes(b"\xffcanary\n")
    assert refusal(path, token="\xffcanary") is None
