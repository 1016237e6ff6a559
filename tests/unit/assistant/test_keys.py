"""Where the API key comes from."""

from pathlib import Path

import pytest

from va_assistant.errors import Failure, Reason
from va_assistant.keys import GivenKey, KeyFile, NoKey


def test_no_key_is_none() -> None:
    assert NoKey().read() is None


def test_a_given_key_is_freed_of_the_space_around_it() -> None:
    assert GivenKey(" sk-1\n").read() == "sk-1"


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "apiKey"
    file.write_text("sk-1\n")
    key = KeyFile(file)
    assert key.read() == "sk-1"
    file.write_text("sk-2\n")
    assert key.read() == "sk-2"


def test_a_switched_link_is_followed_as_in_a_mounted_secret(tmp_path: Path) -> None:
    for version, value in (("v1", "sk-1"), ("v2", "sk-2")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "apiKey").write_text(value)
    data = tmp_path / "..data"
    data.symlink_to("v1")
    (tmp_path / "apiKey").symlink_to("..data/apiKey")
    key = KeyFile(tmp_path / "apiKey")
    assert key.read() == "sk-1"
    new = tmp_path / "..data_tmp"
    new.symlink_to("v2")
    new.rename(data)
    assert key.read() == "sk-2"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, Reason.KEY_MISSING),
        (b"", Reason.KEY_MISSING),
        (b" \n", Reason.KEY_MISSING),
        (b"sk-1\nsk-2", Reason.KEY_REFUSED),
        (b"sk-\xff", Reason.KEY_REFUSED),
        (b"sk-\0", Reason.KEY_REFUSED),
        ("sk-ü".encode(), Reason.KEY_REFUSED),
    ],
)
def test_what_can_be_no_key_is_named(tmp_path: Path, content: bytes | None, reason: Reason) -> None:
    file = tmp_path / "apiKey"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Failure) as failure:
        KeyFile(file).read()
    assert failure.value.reason is reason
    assert "sk-" not in failure.value.message
