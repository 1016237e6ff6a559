"""Puts the parts together and starts them."""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from va_assistant.about import name_of_pod
from va_assistant.answering import Answering
from va_assistant.auth import Tokens
from va_assistant.budget import Budget
from va_assistant.embedded import ModelMissingError, ModelProcess
from va_assistant.errors import one_line
from va_assistant.gate import Gate
from va_assistant.keys import GivenKey, KeyFile, KeySource, NoKey
from va_assistant.knowledge import Knowledge
from va_assistant.ladder import EMBEDDED_QUESTIONS, Ladder
from va_assistant.limits import Rates
from va_assistant.logs import set_up_logs
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.pipeline import Pipeline
from va_assistant.probes import Probes
from va_assistant.prompt import build_prompt
from va_assistant.proxies import InvalidProxyError
from va_assistant.questions import largest_body
from va_assistant.readiness import Readiness, Trial
from va_assistant.reranker import Reranker
from va_assistant.revision import (
    EMBEDDED_MODEL,
    RERANKER_PORT,
    InvalidRevisionError,
    Provider,
    Revision,
    model_settings,
    read_revision,
    revision_of_files,
)
from va_assistant.seats import LONGEST_LINE
from va_assistant.server import SPARE_THREADS, Server, listen
from va_assistant.settings import (
    AssistantSettings,
    host_name,
    openai_api_key,
    proxy_for,
    wants_traces,
)
from va_assistant.traces import tracing_of
from va_assistant.transport import url_fault
from va_assistant.trust import PrivateCA, Trust
from va_assistant.web import create_app

EVERYWHERE = ""
LOOPBACK = "127.0.0.1"
QUESTION_PORT = 8000
PROBE_PORT = 8001
MODEL_START_SECONDS = 60.0


class StartError(Exception):
    """The assistant cannot start; the message is for whoever typed the command."""


def run(arguments: Sequence[str]) -> None:
    """Serve until a signal comes; raises `SystemExit` where it does not come to that."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if fault := usage_fault(options):
        parser.error(fault)
    try:
        settings = AssistantSettings()
        if options.context:
            _serve_files(options, settings)
        else:
            _serve_revision(options, settings)
    except (StartError, InvalidProxyError, InvalidRevisionError, ModelMissingError) as error:
        sys.exit(f"va-assistant: {error}")
    except ValidationError as error:
        faults = "; ".join(
            f"VA_ASSISTANT_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in error.errors()
        )
        sys.exit(f"va-assistant: {faults}")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="va-assistant",
        description="Answers questions from a text. Without options it serves the revision "
        "that a pod has mounted.",
    )
    add = parser.add_argument
    add("--context", action="append", type=Path, metavar="FILE", help="a text to answer from")
    add("--instructions", metavar="TEXT", help="tone and role, added to the built-in rules")
    add("--model", metavar="NAME", help="a model of OpenAI or of --base-url; else the embedded one")
    add("--base-url", metavar="URL", help="a server that is compatible with OpenAI's")
    add("--api-key-file", type=Path, metavar="FILE", help="else OPENAI_API_KEY is used")
    add("--ca-file", type=Path, metavar="FILE", help="a private CA, trusted like the system's")
    add("--host", help="address to listen on (with --context 127.0.0.1, else every one)")
    add("--port", type=port_number, default=QUESTION_PORT, help="port for questions (%(default)s)")
    add(
        "--probe-port",
        type=port_number,
        default=PROBE_PORT,
        help="port for probes, 0: none (%(default)s)",
    )
    add("--verbose", action="store_true", help="write the log to stderr")
    return parser


def port_number(text: str) -> int:
    """Return a port as it may be typed."""
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is at most 65535")
    return port


def usage_fault(options: argparse.Namespace) -> str | None:
    """Return what is wrong with the options taken together."""
    if not options.context:
        of_model = (options.model, options.base_url, options.api_key_file, options.ca_file)
        return "--context is missing" if any(of_model) or options.instructions else None
    if not options.model and (options.base_url or options.api_key_file or options.ca_file):
        return "--base-url, --api-key-file and --ca-file need --model"
    if options.ca_file and (options.base_url or "https:").lower().startswith("http:"):
        return "--ca-file needs a --base-url with https://"
    if options.model and not options.base_url and not _native_key(options):
        return "no API key: set OPENAI_API_KEY or give --api-key-file"
    return None


def _native_key(options: argparse.Namespace) -> KeySource | None:
    if options.api_key_file:
        return KeyFile(options.api_key_file)
    given = openai_api_key() if options.model else None
    return GivenKey(given) if given else None


def _serve_revision(options: argparse.Namespace, settings: AssistantSettings) -> None:
    """Serve what a pod has mounted."""
    host = EVERYWHERE if options.host is None else options.host
    revision = read_revision(settings.revision_dir, name=settings.revision)
    fallbacks = len(revision.fallbacks)
    ca_files = settings.fallback_ca_files or (None,) * fallbacks
    for name, files in (("API_KEY", settings.fallback_api_key_files), ("CA", ca_files)):
        if len(files) != fallbacks:
            raise StartError(
                f"VA_ASSISTANT_FALLBACK_{name}_FILES names {len(files)} files "
                f"for {fallbacks} fallbacks"
            )
    key_files = (settings.api_key_file, *settings.fallback_api_key_files)
    _serve(
        revision,
        [KeyFile(file) if file else NoKey() for file in key_files],
        [_trust(file) for file in (settings.ca_file, *ca_files)],
        settings=settings,
        sock=_listen(host, options.port),
        probe_sock=_listen(host, options.probe_port) if options.probe_port else None,
        reranker_port=reranker_port_beside(revision.model.provider),
        name=name_of_pod(host_name()),
    )


def _trust(ca_file: Path | None) -> Trust | None:
    return PrivateCA(ca_file) if ca_file else None


def _serve_files(options: argparse.Namespace, settings: AssistantSettings) -> None:
    """Serve files, and tell on the terminal where."""
    model = model_settings(
        provider=Provider.OPENAI if options.model else Provider.EMBEDDED,
        name=options.model or EMBEDDED_MODEL,
        base_url=options.base_url,
    )
    if fault := url_fault(model.base_url):
        raise StartError(one_line(fault.replace("baseURL", "--base-url")))
    proxy_for(model.base_url)  # told here and now where it is none
    revision = revision_of_files(options.context, instructions=options.instructions, model=model)
    host = options.host or LOOPBACK
    sock = _listen(host, options.port)
    probe_sock = _listen(host, options.probe_port) if options.probe_port else None
    serve = partial(
        _serve,
        settings=settings,
        log_level="INFO" if options.verbose else "ERROR",
        sock=sock,
        probe_sock=probe_sock,
        changed=_Announcement(revision, _url(host, sock.getsockname()[1])),
    )
    if options.model:
        serve(revision, [_native_key(options) or NoKey()], [_trust(options.ca_file)])
        return
    process = ModelProcess()
    try:
        process.wait_until_healthy(MODEL_START_SECONDS)
        serve(
            revision.at(f"http://127.0.0.1:{process.port}/v1"),
            [NoKey()],
            [None],
            reranker_port=process.reranker_port,
        )
    finally:
        process.stop()


def _serve(
    revision: Revision,
    keys: Sequence[KeySource],
    trusts: Sequence[Trust | None],
    *,
    settings: AssistantSettings,
    sock: socket.socket,
    probe_sock: socket.socket | None,
    reranker_port: int | None = None,
    log_level: str = "INFO",
    name: str = "",
    changed: Callable[[Readiness], None] = lambda _readiness: None,
) -> None:
    set_up_logs(log_level)
    budget = Budget(settings.tokens_per_day) if settings.tokens_per_day else None
    models = [
        # Who asks for no key sends no bill.
        Model(
            model,
            build_prompt(revision, model),
            key,
            proxy_for,
            trust,
            None if isinstance(key, NoKey) else budget,
        )
        for model, key, trust in zip(revision.models, keys, trusts, strict=True)
    ]
    gate = gate_of(settings)
    readiness = Readiness(revision, gate.closed, budget)
    metrics = Metrics()
    if budget:
        metrics.watch_budget(budget.per_day, lambda: budget.spent)
    ladder = Ladder(models, readiness, metrics)
    reranker = Reranker(reranker_port, metrics.watch_reranker()) if reranker_port else None
    tracing = tracing_of(wanted=wants_traces(), name=name, revision=revision.name, host=host_name())
    max_questions = questions_at_once(revision.model.provider, settings.max_questions)
    answering = Answering(
        Pipeline(Knowledge(revision), ladder, reranker),
        metrics,
        timeout_seconds=revision.model.timeout_seconds,
        max_questions=max_questions,
        tracing=tracing,
    )

    def draining() -> None:
        readiness.draining = True

    server = Server(
        create_app(
            answering,
            revision,
            gate,
            question_bytes=settings.question_bytes,
            name=name,
        ),
        sock,
        threads=max_questions + LONGEST_LINE + SPARE_THREADS,
        drain_seconds=settings.drain_seconds,
        draining=draining,
        largest_body=partial(largest_body, limit=settings.question_bytes),
        turned_away=metrics.turned_away,
    )
    if probe_sock:
        Probes(probe_sock, readiness, metrics, server.is_serving).start()
    for rung in ladder.rungs:
        Trial(
            rung.model,
            readiness,
            rung=rung.place,
            answered=rung.answered,
            failed=rung.trial_failed,
            changed=lambda: changed(readiness),
        ).start()
    try:
        server.run()
    finally:
        tracing.close()


def gate_of(settings: AssistantSettings) -> Gate:
    """Return the gate that the settings ask for."""
    return Gate(
        tokens=Tokens(settings.token_file) if settings.token_file else None,
        rates=Rates(
            per_client=settings.requests_per_minute_per_client,
            in_all=settings.requests_per_minute,
        ),
        allowed_origins=frozenset(origin.lower() for origin in settings.allowed_origins),
        proxies=settings.trusted_proxies,
    )


def reranker_port_beside(provider: Provider) -> int | None:
    """Return the port of the reranker in a pod whose preferred model is of a provider."""
    return RERANKER_PORT if provider is Provider.EMBEDDED else None


def questions_at_once(provider: Provider, limit: int) -> int:
    """Return how many questions are taken at once."""
    return min(limit, EMBEDDED_QUESTIONS) if provider is Provider.EMBEDDED else limit


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        problem = os.strerror(error.errno) if error.errno else str(error)
        raise StartError(f"port {port} of {host or 'this host'}: {problem}") from error


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


class _Announcement:
    """Tells whoever sits at the terminal what has changed since it was last told."""

    def __init__(self, revision: Revision, url: str) -> None:
        self._name = revision.model.name
        self._url = url
        self._said: str | None = None

    def __call__(self, readiness: Readiness) -> None:
        """Say it once."""
        model, *_ = readiness.report().body["models"]
        error = model["lastError"]
        if error:
            text = f"Not ready: {error['reason']}: {error['message']}"
        else:
            text = (
                f"Ready. {self._name} answers at {self._url}\n"
                f"  va ask --url {self._url} 'What is this about?'\n"
                f"  curl -d 'What is this about?' {self._url}/\n"
                "Stop with Ctrl-C."
            )
        if text != self._said:
            self._said = text
            print(text, flush=True)
