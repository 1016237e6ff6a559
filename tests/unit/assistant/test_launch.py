"""The command line, outside of Kubernetes."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.certificates import make_authority
from support.openai_stub import RIGHT_KEY, Stub
from support.serving import fetch, free_ports, write_revision
from va_assistant import launch
from va_assistant.revision import RERANKER_PORT, Provider

Run = Callable[..., tuple[int, str]]
PROGRAM = [sys.executable, "-c", "from va_assistant.main import main; main()"]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    file = tmp_path / "ada.md"
    file.write_text("Ada plays the cello.\n")
    return file


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; return its exit code and what it complains of."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def run(*arguments: object, **environment: str) -> tuple[int, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            launch.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert not said.out
        if isinstance(ended.value.code, str):  # what Python prints, with an exit code of 1
            return 1, f"{ended.value.code}\n"
        return ended.value.code or 0, said.err

    return run


@contextmanager
def running(*arguments: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file or directory"),
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"caf\xe9", r"not UTF-8 \(byte 3\)"),
        (b"a\0b", "not a text"),
    ],
)
def test_a_file_that_is_no_text_is_named(
    run: Run, tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    file = tmp_path / "ada.md"
    if content is not None:
        file.write_bytes(content)
    code, said = run("--context", file)
    assert code == 1
    assert re.fullmatch(rf"va-assistant: \S+ada\.md: {complaint}.*\n", said)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--context", "a", "--base-url", "http://x"], "need --model"),
        (["--context", "a", "--model", "gpt-5-mini"], "no API key"),
        (["--model", "gpt-5-mini"], "--context is missing"),
        (["--context", "a", "--ca-file", "ca.pem"], "need --model"),
        (["--ca-file", "ca.pem"], "--context is missing"),
        (
            ["--context", "a", "--model", "m", "--base-url", "http://x", "--ca-file", "ca.pem"],
            "--ca-file needs a --base-url with https://",
        ),
        (["--port", "x"], "invalid port_number value"),
        (["--port", "70000"], "at most 65535"),
        (["--nope"], "unrecognized"),
    ],
)
def test_options_that_do_not_go_together(run: Run, arguments: list[str], complaint: str) -> None:
    code, said = run(*arguments)
    assert code == 2
    assert complaint in said
    assert "Traceback" not in said


def test_the_reranker_is_asked_where_the_embedded_model_is_the_preferred_one() -> None:
    assert launch.reranker_port_beside(Provider.EMBEDDED) == RERANKER_PORT
    assert launch.reranker_port_beside(Provider.OPENAI) is None


def test_a_port_that_is_taken_is_named(run: Run, context: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run("--context", context, "--port", port)
    assert code == 1
    assert said == f"va-assistant: port {port} of 127.0.0.1: Address already in use\n"


def test_a_url_that_is_none_is_told_in_a_line(run: Run, context: Path) -> None:
    code, said = run(
        *("--context", context, "--model", "m", "--base-url", "http://host:abc/v1"),
        OPENAI_API_KEY="k",
    )
    assert code == 1
    assert re.fullmatch(r"va-assistant: the --base-url is none: .*abc.*\n", said)


def test_a_proxy_that_is_none_is_told_in_a_line(run: Run, context: Path) -> None:
    code, said = run(
        *("--context", context, "--model", "m", "--base-url", "https://model.test/v1"),
        OPENAI_API_KEY="k",
        https_proxy="socks5://ada:s3cret@proxy.test",
        no_proxy="",
    )
    assert code == 1
    assert re.fullmatch(r"va-assistant: HTTPS_PROXY is no URL of a proxy: [^\n]+\n", said)
    assert "s3cret" not in said


def test_a_pod_whose_text_holds_a_nul_says_which(run: Run, tmp_path: Path) -> None:
    folder = write_revision(tmp_path / "revision", context="a\0b")
    code, said = run(VA_ASSISTANT_REVISION_DIR=str(folder))
    assert code == 1
    assert said == (
        f"va-assistant: {folder}/context.cv.md: not a text (it holds a NUL character)\n"
    )


def test_the_embedded_model_has_fewer_seats() -> None:
    assert launch.questions_at_once(Provider.OPENAI, 128) == 128
    assert launch.questions_at_once(Provider.EMBEDDED, 128) == 8
    assert launch.questions_at_once(Provider.EMBEDDED, 3) == 3


def test_a_pod_without_its_files_says_which(run: Run, tmp_path: Path) -> None:
    code, said = run(VA_ASSISTANT_REVISION_DIR=str(tmp_path / "revision"))
    assert code == 1
    assert said == f"va-assistant: {tmp_path}/revision/settings.json: No such file or directory\n"


def test_a_pod_whose_keys_are_not_as_many_as_its_fallbacks_says_so(
    run: Run, tmp_path: Path
) -> None:
    write_revision(tmp_path, fallbacks=[{"name": "spare"}])
    code, said = run(VA_ASSISTANT_REVISION_DIR=str(tmp_path))
    assert code == 1
    assert "names 0 files for 1 fallbacks" in said


def test_a_pod_whose_cas_are_not_as_many_as_its_fallbacks_says_so(run: Run, tmp_path: Path) -> None:
    write_revision(tmp_path, fallbacks=[{"name": "spare"}])
    code, said = run(
        VA_ASSISTANT_REVISION_DIR=str(tmp_path),
        VA_ASSISTANT_FALLBACK_API_KEY_FILES="[null]",
        VA_ASSISTANT_FALLBACK_CA_FILES="[null, null]",
    )
    assert code == 1
    assert "VA_ASSISTANT_FALLBACK_CA_FILES names 2 files for 1 fallbacks" in said


def test_a_bad_environment_is_told_with_all_its_faults(run: Run) -> None:
    code, said = run(
        VA_ASSISTANT_DRAIN_SECONDS="-1",
        VA_ASSISTANT_QUESTION_BYTES="65537",
        VA_ASSISTANT_TOKENS_PER_DAY="0",
        VA_ASSISTANT_ALLOWED_ORIGINS="https://shop.example",
    )
    assert code == 1
    assert said.count("\n") == 1
    assert "VA_ASSISTANT_DRAIN_SECONDS" in said
    assert "VA_ASSISTANT_QUESTION_BYTES" in said
    assert "VA_ASSISTANT_TOKENS_PER_DAY" in said
    assert "VA_ASSISTANT_ALLOWED_ORIGINS" in said


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_answers_and_stops_on_a_signal(
    stub: Stub, context: Path, end: signal.Signals
) -> None:
    port, probe_port = free_ports(2)
    with running(
        *("--context", context, "--model", "m", "--base-url", stub.url),
        *("--port", port, "--probe-port", probe_port),
        OPENAI_API_KEY=RIGHT_KEY,
    ) as process:
        assert process.stdout
        said = "".join(process.stdout.readline() for _ in range(4))
        assert f"curl -d 'What is this about?' http://127.0.0.1:{port}/" in said
        assert f"va ask --url http://127.0.0.1:{port} " in said
        reply = fetch(port, "POST", "/", "cello?", {})
        assert reply.text == "Ada plays the cello.\n"
        assert re.fullmatch("[0-9a-f]{10}", reply.headers["X-Revision"])
        assert fetch(probe_port, "GET", "/ready", None, {}).status == 200
        os.killpg(process.pid, end)
        assert process.wait(timeout=10) == 0


def test_it_says_why_it_is_not_ready_and_when_it_is(
    stub: Stub, context: Path, tmp_path: Path
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("sk-wrong")
    with running(
        *("--context", context, "--model", "m", "--base-url", stub.url),
        *("--api-key-file", key_file, "--port", free_ports(1)[0], "--probe-port", 0),
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Not ready: KeyRefused: ")
        key_file.write_text(RIGHT_KEY)
        assert process.stdout.readline().startswith("Ready. m answers at ")


def test_a_private_ca_is_named_on_the_command_line(context: Path, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    ca_file = tmp_path / "late.pem"
    port = free_ports(1)[0]
    with (
        Stub(tls=authority.server_side("127.0.0.1")) as stub,
        running(
            *("--context", context, "--model", "m", "--base-url", stub.url),
            *("--ca-file", ca_file, "--port", port, "--probe-port", 0),
            OPENAI_API_KEY=RIGHT_KEY,
        ) as process,
    ):
        assert process.stdout
        assert process.stdout.readline().startswith("Not ready: CAMissing: the CA's file late.pem")
        ca_file.write_text(authority.pem)
        assert process.stdout.readline().startswith("Ready. m answers at ")
        assert fetch(port, "POST", "/", "cello?", {}).text == "Ada plays the cello.\n"


def test_the_revision_follows_from_what_is_said(stub: Stub, tmp_path: Path) -> None:
    names = []
    for number, text in enumerate(["one\n", "one\r\n", "two\n"]):
        file = tmp_path / str(number) / "a.md"
        file.parent.mkdir()
        file.write_bytes(text.encode())
        port = free_ports(1)[0]
        with running(
            *("--context", file, "--model", "m", "--base-url", stub.url),
            *("--port", port, "--probe-port", 0),
            OPENAI_API_KEY=RIGHT_KEY,
        ) as process:
            assert process.stdout
            process.stdout.readline()
            names.append(fetch(port, "POST", "/", "one?", {}).headers["X-Revision"])
    assert names[0] == names[1] != names[2]
