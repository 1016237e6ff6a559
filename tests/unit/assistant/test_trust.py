"""A private CA: whose certificates are believed, and how a bad file of it is told."""

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.certificates import Authority, make_authority
from support.forward_proxy import ForwardProxy
from support.openai_stub import RIGHT_KEY, Stub
from support.serving import Served, serve, wait_for
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.keys import GivenKey
from va_assistant.model import Model
from va_assistant.prompt import Query, build_prompt
from va_assistant.proxies import Proxy, parse_proxy
from va_assistant.revision import ContextFile, Provider, Revision, model_settings
from va_assistant.trust import PrivateCA, SystemTrust

HOST = "127.0.0.1"
QUESTION = Query(question="Which instrument is it, a cello?")
ANSWER = "Ada plays the cello."

MakeModel = Callable[..., Model]
StartServer = Callable[..., Stub]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authorities")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return make_authority(folder, "ours")


@pytest.fixture(scope="module")
def others(folder: Path) -> Authority:
    return make_authority(folder, "others")


@pytest.fixture
def server(ours: Authority) -> Iterator[StartServer]:
    """Start a model server with a certificate of ours, or of another CA."""
    with ExitStack() as running:

        def start(by: Authority = ours, *, host: str = HOST) -> Stub:
            return running.enter_context(Stub(tls=by.server_side(host)))

        yield start


@pytest.fixture
def model() -> Iterator[MakeModel]:
    """Make a model at a URL that trusts a file, or the system's store alone."""
    made: list[Model] = []

    def make(url: str, file: Path | None, proxy: Proxy | None = None) -> Model:
        settings = model_settings(provider=Provider.OPENAI, name="stub", base_url=url)
        revision = Revision(
            name="r",
            instructions=None,
            files=(ContextFile(name="cv.md", text=ANSWER),),
            model=settings,
        )
        trust = PrivateCA(file) if file else None
        prompt = build_prompt(revision, settings)
        made.append(Model(settings, prompt, GivenKey(RIGHT_KEY), lambda _: proxy, trust))
        return made[-1]

    yield make
    for each in made:
        each.close()


def answer(of: Model) -> str:
    return of.answer(QUESTION, Deadline.after(5, gap=5)).text


def failure_of(of: Model) -> Failure:
    with pytest.raises(Failure) as failure:
        answer(of)
    return failure.value


def mount(folder: Path, version: str, pem: str) -> Path:
    """Put a CA into a folder, or another in its place, as the kubelet does; return its path."""
    (folder / version).mkdir(parents=True)
    (folder / version / "ca.crt").write_text(pem)
    new = folder / "..data_tmp"
    new.symlink_to(version)
    new.rename(folder / "..data")
    path = folder / "ca.crt"
    if not path.is_symlink():
        path.symlink_to("..data/ca.crt")
    return path


def test_a_certificate_of_a_private_ca_is_not_trusted_by_itself(
    server: StartServer, model: MakeModel
) -> None:
    stub = server()
    failure = failure_of(model(stub.url, None))
    assert failure.reason is Reason.TLS_FAILED
    assert failure.state is ModelState.FAILED
    assert failure.message.startswith(f"{HOST}:{stub.port}: the certificate is not trusted: ")
    assert not stub.log


def test_it_is_with_the_file_of_the_ca(
    server: StartServer, model: MakeModel, ours: Authority
) -> None:
    stub = server()
    asked = model(stub.url, ours.file)
    assert [answer(asked), answer(asked)] == [ANSWER, ANSWER]
    assert stub.connections == 1


def test_with_the_file_of_another_ca_it_is_not(
    server: StartServer, model: MakeModel, others: Authority
) -> None:
    failure = failure_of(model(server().url, others.file))
    assert failure.reason is Reason.TLS_FAILED


def test_the_store_of_the_system_is_trusted_beside_it(
    monkeypatch: pytest.MonkeyPatch,
    server: StartServer,
    model: MakeModel,
    ours: Authority,
    others: Authority,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(others.file))
    for by in (ours, others):
        assert answer(model(server(by).url, ours.file)) == ANSWER


def test_a_certificate_for_another_host_stays_refused(
    server: StartServer, model: MakeModel, ours: Authority
) -> None:
    stub = server(host="other.test")
    failure = failure_of(model(stub.url, ours.file))
    assert failure.reason is Reason.TLS_FAILED
    assert "IP address mismatch" in failure.message
    assert not stub.log


def test_the_ca_is_believed_through_a_tunnel_too(
    server: StartServer, model: MakeModel, ours: Authority, others: Authority
) -> None:
    stub = server(host="model.test")
    with ForwardProxy({"model.test": stub.port, "other.test": stub.port}) as running:
        proxy = parse_proxy(running.url, variable="HTTPS_PROXY")
        assert answer(model("https://model.test/v1", ours.file, proxy)) == ANSWER
        for host, file in (("model.test", others.file), ("other.test", ours.file)):
            failure = failure_of(model(f"https://{host}/v1", file, proxy))
            assert failure.reason is Reason.TLS_FAILED
            assert failure.message.startswith(f"{host}:443 through the proxy {running.address}: ")
    assert {seen.line for seen in running.seen} == {
        "CONNECT model.test:443 HTTP/1.1",
        "CONNECT other.test:443 HTTP/1.1",
    }
    assert len(stub.log) == 1


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_bundle_with_comments_in_any_language_is_read(
    server: StartServer,
    model: MakeModel,
    tmp_path: Path,
    ours: Authority,
    others: Authority,
    ends: str,
) -> None:
    text = f"# Főtanúsítvány\n{others.pem}\nunsere eigene: größer\n{ours.pem}"
    file = tmp_path / "bundle.pem"
    file.write_bytes(text.replace("\n", ends).encode())
    for by in (ours, others):
        assert answer(model(server(by).url, file)) == ANSWER


def test_an_intermediate_ca_is_enough(
    server: StartServer, model: MakeModel, folder: Path, ours: Authority
) -> None:
    below = make_authority(folder, "below", parent=ours)
    assert answer(model(server(below).url, below.file)) == ANSWER


def test_a_ca_made_by_hand_is_taken_whichever_python_runs(
    monkeypatch: pytest.MonkeyPatch, ours: Authority
) -> None:
    """Since Python 3.13 `create_default_context` wants of a CA all that RFC 5280 does."""
    plain = ssl.create_default_context

    def strict(*, cadata: str) -> ssl.SSLContext:
        context = plain(cadata=cadata)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    flags = PrivateCA(ours.file).context().verify_flags
    assert not flags & ssl.VERIFY_X509_STRICT
    assert flags & ssl.VERIFY_X509_PARTIAL_CHAIN


def test_what_verifies_stays_as_strict_as_the_system_s(ours: Authority) -> None:
    private, plain = PrivateCA(ours.file).context(), SystemTrust().context()
    assert private.verify_mode == plain.verify_mode == ssl.CERT_REQUIRED
    assert private.check_hostname is True
    assert private.minimum_version == plain.minimum_version
    assert private.options == plain.options
    assert len(private.get_ca_certs()) == len(plain.get_ca_certs()) + 1


BROKEN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
FAULTS: dict[str, tuple[Callable[[str], bytes] | None, Reason, str]] = {
    "missing": (None, Reason.CA_MISSING, "No such file or directory"),
    "empty": (lambda _: b"", Reason.CA_MISSING, "is empty"),
    "white": (lambda _: b" \n\t\n", Reason.CA_MISSING, "is empty"),
    "a word": (lambda _: b"TODO", Reason.CA_INVALID, "no certificate in PEM"),
    "DER": (ssl.PEM_cert_to_DER_cert, Reason.CA_INVALID, "no certificate in PEM"),
    "base64 of PEM": (
        lambda pem: base64.b64encode(pem.encode()),
        Reason.CA_INVALID,
        "no certificate in PEM",
    ),
    "cut": (lambda pem: pem.encode()[:-40], Reason.CA_INVALID, "is cut off"),
    "cut before another": (
        lambda pem: pem.encode()[:-40] + b"\n" + pem.encode(),
        Reason.CA_INVALID,
        "is cut off",
    ),
    "broken": (lambda _: BROKEN.encode(), Reason.CA_INVALID, "a certificate in it is none"),
    "broken after a good one": (
        lambda pem: (pem + BROKEN).encode(),
        Reason.CA_INVALID,
        "a certificate in it is none",
    ),
    "no base64": (
        lambda pem: pem.replace("MII", "M\u0399I", 1).encode(),
        Reason.CA_INVALID,
        "a certificate in it is none",
    ),
}


@pytest.mark.parametrize(("made", "reason", "said"), FAULTS.values(), ids=FAULTS)
def test_a_file_that_is_no_ca_is_told_and_nobody_is_asked(
    server: StartServer,
    model: MakeModel,
    tmp_path: Path,
    ours: Authority,
    made: Callable[[str], bytes] | None,
    reason: Reason,
    said: str,
) -> None:
    file = tmp_path / "ca.crt"
    if made:
        file.write_bytes(made(ours.pem))
    stub = server()
    asked = model(stub.url, file)
    for _ in range(2):
        failure = failure_of(asked)
        assert (failure.reason, failure.state) == (reason, ModelState.FAILED)
        assert failure.message.startswith("the CA's file ca.crt")
        assert said in failure.message
        assert "MII" not in failure.message
    assert stub.connections == 0


def test_a_folder_in_place_of_the_file_is_told(
    server: StartServer, model: MakeModel, tmp_path: Path
) -> None:
    failure = failure_of(model(server().url, tmp_path))
    assert failure.reason is Reason.CA_MISSING
    assert failure.message.endswith(": Is a directory")


def test_without_tls_no_file_is_looked_at(stub: Stub, model: MakeModel, tmp_path: Path) -> None:
    assert answer(model(stub.url, tmp_path / "missing")) == ANSWER


def test_an_unchanged_file_is_read_once(tmp_path: Path, ours: Authority) -> None:
    trust = PrivateCA(mount(tmp_path, "v1", ours.pem))
    assert trust.context() is trust.context()


def test_threads_share_what_was_read(ours: Authority) -> None:
    trust = PrivateCA(ours.file)
    found: list[ssl.SSLContext] = []
    threads = [threading.Thread(target=lambda: found.append(trust.context())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_an_exchanged_ca_is_in_use_with_the_next_question(
    model: MakeModel, tmp_path: Path, ours: Authority, others: Authority
) -> None:
    file = mount(tmp_path, "v1", ours.pem)
    tls = ours.server_side(HOST)
    with Stub(tls=tls) as stub:
        asked = model(stub.url, file)
        assert answer(asked) == ANSWER
        others.certify(tls, HOST)
        mount(tmp_path, "v2", others.pem)
        assert answer(asked) == ANSWER
        assert stub.connections == 2
        mount(tmp_path, "v3", ours.pem)
        assert failure_of(asked).reason is Reason.TLS_FAILED


def test_a_ca_that_is_taken_away_counts_for_open_connections_too(
    server: StartServer, model: MakeModel, tmp_path: Path, ours: Authority
) -> None:
    file = mount(tmp_path, "v1", ours.pem)
    stub = server()
    asked = model(stub.url, file)
    assert answer(asked) == ANSWER
    file.unlink()
    assert failure_of(asked).reason is Reason.CA_MISSING
    assert len(stub.log) == 1


# A pod


def reason_of(served: Served, place: int = 0) -> str | None:
    error = served.ready()["models"][place]["lastError"]
    return error["reason"] if error else None


def test_a_pod_says_that_its_ca_is_missing_and_takes_it_up_when_it_comes(
    server: StartServer, tmp_path: Path, ours: Authority, others: Authority
) -> None:
    folder = tmp_path / "ca"
    file = folder / "ca.crt"
    stub = server()
    environment = {"VA_ASSISTANT_CA_FILE": str(file)}
    with serve(tmp_path, stub, environment=environment) as served:
        wait_for(lambda: served.responds("/ready", 503) and reason_of(served) == "CAMissing")
        assert served.ready()["reason"] == "CAMissing"
        assert "cello" in served.ask("Which instrument does Ada play?").text  # the text's own line
        assert not stub.log

        mount(folder, "v1", "TODO")
        wait_for(lambda: reason_of(served) == "CAInvalid")
        mount(folder, "v2", others.pem)
        wait_for(lambda: reason_of(served) == "TLSFailed")
        assert not stub.log
        mount(folder, "v3", ours.pem)
        served.wait_until_ready()
        assert served.ask("Which instrument does Ada play?").status == 200
        assert len(stub.log) == 2  # the trial, and the question

        mount(folder, "v4", others.pem)
        wait_for(lambda: reason_of(served) == "TLSFailed")
        assert served.responds("/ready", 200)  # it was ready once
        mount(folder, "v5", ours.pem)
        wait_for(lambda: reason_of(served) is None)


def test_each_model_of_a_pod_has_a_ca_of_its_own(
    server: StartServer, tmp_path: Path, ours: Authority, others: Authority
) -> None:
    environment = {
        "VA_ASSISTANT_FALLBACK_API_KEY_FILES": f'["{tmp_path}/apiKey", "{tmp_path}/apiKey"]',
        "VA_ASSISTANT_CA_FILE": str(ours.file),
        "VA_ASSISTANT_FALLBACK_CA_FILES": f'[null, "{others.file}"]',
    }
    fallback = {"baseURL": server(others).url}
    with serve(
        tmp_path, server(), environment=environment, fallbacks=[fallback, fallback]
    ) as served:
        served.wait_until_ready()
        wait_for(lambda: [reason_of(served, place) for place in range(3)] == [
            None, "TLSFailed", None
        ])  # fmt: skip
        wait_for(lambda: served.ready()["models"][2]["state"] == "Ready")
