"""What can keep a question from its answer, by name.

Every foreseen failure is a `Failure` with one of the reasons below. The reason
decides the HTTP status, whether a new pod may come up with it, and how long
the asker should wait; `docs/reference/pod-contract.md` and
`docs/reference/http.md` list the same tables.
"""

from enum import StrEnum

MESSAGE_LIMIT = 300
"""Characters of a foreign message that are passed on."""


class ModelState(StrEnum):
    """What is known of a model."""

    UNKNOWN = "Unknown"
    READY = "Ready"
    DEGRADED = "Degraded"
    """The last failure points to load or an outage: it may pass by itself."""

    FAILED = "Failed"
    """The last failure points to configuration: somebody has to change something."""


class Reason(StrEnum):
    """Names of the failures; they are part of the interface."""

    # The question cannot be taken.
    BAD_REQUEST = "BadRequest"
    TOO_SLOW = "TooSlow"
    ADDRESS_TOO_LONG = "AddressTooLong"
    HEAD_TOO_LARGE = "HeadTooLarge"
    EMPTY_QUESTION = "EmptyQuestion"
    NOT_UTF8 = "NotUTF8"
    INVALID_JSON = "InvalidJSON"
    INVALID_QUESTION = "InvalidQuestion"
    UNSUPPORTED_PARAMETER = "UnsupportedParameter"
    NOT_FOUND = "NotFound"
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    UNAUTHORIZED = "Unauthorized"
    CROSS_SITE = "CrossSite"
    TOO_MANY_REQUESTS = "TooManyRequests"
    TOKEN_MISSING = "TokenMissing"  # noqa: S105 - a name
    QUESTION_TOO_LARGE = "QuestionTooLarge"
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType"
    TOO_BUSY = "TooBusy"
    INTERNAL_ERROR = "InternalError"

    # The model did not answer.
    KEY_MISSING = "KeyMissing"
    KEY_REFUSED = "KeyRefused"
    CA_MISSING = "CAMissing"
    CA_INVALID = "CAInvalid"
    MODEL_NOT_FOUND = "ModelNotFound"
    REQUEST_REFUSED = "RequestRefused"
    CONTEXT_TOO_LARGE = "ContextTooLarge"
    HOST_NOT_FOUND = "HostNotFound"
    CONNECTION_REFUSED = "ConnectionRefused"
    TLS_FAILED = "TLSFailed"
    RATE_LIMITED = "RateLimited"
    BUDGET_SPENT = "BudgetSpent"
    UPSTREAM_ERROR = "UpstreamError"
    CONNECTION_LOST = "ConnectionLost"
    TIMEOUT = "Timeout"
    CIRCUIT_OPEN = "CircuitOpen"
    NO_MODEL_ANSWERS = "NoModelAnswers"


STATUS: dict[Reason, int] = {
    Reason.BAD_REQUEST: 400,
    Reason.EMPTY_QUESTION: 400,
    Reason.NOT_UTF8: 400,
    Reason.INVALID_JSON: 400,
    Reason.INVALID_QUESTION: 400,
    Reason.UNSUPPORTED_PARAMETER: 400,
    Reason.UNAUTHORIZED: 401,
    Reason.CROSS_SITE: 403,
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.TOO_SLOW: 408,
    Reason.QUESTION_TOO_LARGE: 413,
    Reason.ADDRESS_TOO_LONG: 414,
    Reason.UNSUPPORTED_MEDIA_TYPE: 415,
    Reason.TOO_MANY_REQUESTS: 429,
    Reason.HEAD_TOO_LARGE: 431,
    Reason.INTERNAL_ERROR: 500,
    Reason.TOO_BUSY: 503,
    Reason.TOKEN_MISSING: 503,
    Reason.KEY_MISSING: 502,
    Reason.KEY_REFUSED: 502,
    Reason.CA_MISSING: 502,
    Reason.CA_INVALID: 502,
    Reason.MODEL_NOT_FOUND: 502,
    Reason.REQUEST_REFUSED: 502,
    Reason.CONTEXT_TOO_LARGE: 413,
    Reason.HOST_NOT_FOUND: 503,
    Reason.CONNECTION_REFUSED: 503,
    Reason.TLS_FAILED: 503,
    Reason.RATE_LIMITED: 503,
    Reason.BUDGET_SPENT: 429,
    Reason.UPSTREAM_ERROR: 503,
    Reason.CONNECTION_LOST: 503,
    Reason.TIMEOUT: 504,
    Reason.CIRCUIT_OPEN: 503,
    Reason.NO_MODEL_ANSWERS: 503,
}

RETRY_AFTER_SECONDS: dict[Reason, float] = {
    Reason.TOO_BUSY: 1,
    Reason.TOKEN_MISSING: 30,
    Reason.RATE_LIMITED: 10,
}
"""What is said where the provider says nothing; other 503s say 5 seconds."""

_PASSING = frozenset(
    {
        Reason.RATE_LIMITED,
        Reason.BUDGET_SPENT,
        Reason.UPSTREAM_ERROR,
        Reason.CONNECTION_LOST,
        Reason.TIMEOUT,
    }
)

_OF_THE_MODEL = _PASSING | {
    Reason.TOO_BUSY,
    Reason.KEY_MISSING,
    Reason.KEY_REFUSED,
    Reason.CA_MISSING,
    Reason.CA_INVALID,
    Reason.MODEL_NOT_FOUND,
    Reason.HOST_NOT_FOUND,
    Reason.CONNECTION_REFUSED,
    Reason.TLS_FAILED,
    Reason.CIRCUIT_OPEN,
    Reason.NO_MODEL_ANSWERS,
}


_SAID: dict[Reason, str] = {
    Reason.KEY_MISSING: "the model's key is missing",
    Reason.KEY_REFUSED: "the provider refuses the model's key",
    Reason.CA_MISSING: "the file with the model's CA is missing",
    Reason.CA_INVALID: "the file with the model's CA is none",
    Reason.MODEL_NOT_FOUND: "the provider does not know the model",
    Reason.REQUEST_REFUSED: "the provider refuses the question",
    Reason.CONTEXT_TOO_LARGE: "the question and the texts are too long for the model",
    Reason.HOST_NOT_FOUND: "the model's host is not found",
    Reason.CONNECTION_REFUSED: "the model's host takes no connection",
    Reason.TLS_FAILED: "no trusted connection to the model comes about",
    Reason.RATE_LIMITED: "the provider is asked too often",
    Reason.UPSTREAM_ERROR: "the model's server had an error",
    Reason.CONNECTION_LOST: "the connection to the model was cut",
    Reason.TIMEOUT: "the model did not answer in time",
    Reason.CIRCUIT_OPEN: "the model failed again and again and is left alone for a moment",
}
"""What an asker is told of a model: a provider's own words name organizations and hosts, and may
repeat what it was sent. They are for the log and the status."""


class Failure(Exception):
    """A question that gets no answer, with the reason that the asker is told."""

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        retry_after: float | None = None,
        about_question: bool = False,
        param: str | None = None,
    ) -> None:
        """`about_question`: another question may well be answered, so the model is not judged.

        `param` is the field of the question's JSON that it is about.
        """
        super().__init__(reason)
        self.reason = reason
        self.message = message
        self.about_question = about_question
        self.param = param
        self.meets_all = False
        """Every question meets it, as the model's trial has shown."""

        self.provider_retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status for the asker."""
        return STATUS[self.reason]

    @property
    def retry_after(self) -> float | None:
        """Seconds after which asking again makes sense; None where it makes none."""
        if self.status not in {429, 503}:
            return None
        if self.provider_retry_after is not None:
            return self.provider_retry_after
        return RETRY_AFTER_SECONDS.get(self.reason, 5)

    @property
    def told(self) -> str:
        """What the asker is told: our own words, never a provider's."""
        if self.about_question and self.reason is Reason.UPSTREAM_ERROR:
            return self.message  # of an answer that came and is none: they are our own
        return _SAID.get(self.reason, self.message)

    @property
    def about_model(self) -> bool:
        """Whether somebody else may well answer the same question: another model, or the text."""
        return (self.reason in _OF_THE_MODEL or self.meets_all) and not self.about_question

    @property
    def state(self) -> ModelState:
        """What the failure says of the model."""
        return ModelState.DEGRADED if self.reason in _PASSING else ModelState.FAILED


def internal_error() -> Failure:
    """Return the failure of what nobody foresaw."""
    return Failure(Reason.INTERNAL_ERROR, "something went wrong here; the log says what")


class AskerLeft(Exception):
    """Whoever asked has closed the connection: nobody waits for the answer."""


class NotSent(AskerLeft):
    """The connection ended before all of the question was there."""


def one_line(text: str) -> str:
    """Return a foreign message as one printable line of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"
