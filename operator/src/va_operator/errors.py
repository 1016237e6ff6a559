"""Failures with names.

OperatorError
├── ContextError        the context cannot be used; told to the user, not retried
├── ChildRefused        a child cannot be written; told to the user, retried slowly
├── ClusterFailure      the API server did not do what it was asked
│   ├── ResourceExpired     a list or watch must begin anew (410)
│   └── Fenced              a write was not sent: the Lease may be another's by now
├── LeaseLost           the process must end and be started again, as a standby
└── WatchDead           the process must end and be started again
"""


class OperatorError(Exception):
    """What the operator foresees to go wrong."""


class ContextError(OperatorError):
    """The context cannot be used as it is.

    ``reason`` is one of `va_operator.reasons`; the message names the field and
    what it must be. Another try helps only after something changed.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ChildRefused(OperatorError):
    """A child cannot be written now.

    ``reason`` is one of `va_operator.reasons`; the message holds the API server's words.
    ``kind`` is the child's, where it is told: some children decide more than others.
    """

    def __init__(self, reason: str, message: str, *, kind: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.kind = kind


class ClusterFailure(OperatorError):
    """The API server answered with an error, or not at all.

    ``status`` is the HTTP status, 0 where there was no answer. ``retry_after`` is
    the wait in seconds that the server asks for, if any.
    """

    def __init__(
        self, status: int, message: str, *, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"{status}: {message}" if status else message)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class ResourceExpired(ClusterFailure):
    """The version that a list or watch wants to go on from is gone (410)."""

    def __init__(self, message: str) -> None:
        super().__init__(410, message, reason="Expired")


class Fenced(ClusterFailure):
    """A write was not sent, because another operator may hold the Lease by now."""

    def __init__(self) -> None:
        super().__init__(0, "not sent: the Lease is not held")


class LeaseLost(OperatorError):
    """The Lease is another's, or may have been since we last renewed it."""


class WatchDead(OperatorError):
    """A watch has ended for good, or delivers nothing any more although it seems alive."""
