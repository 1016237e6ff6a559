"""Every failure that `va-cluster` foresees: what happened, and what the user can do.

ClusterError
├── Unsupported     this machine lacks something that is needed
├── CommandFailed   a program that we ran failed
├── NotOurs         the chosen cluster is not ours to create or delete
├── NotReady        something did not come up in time
├── NotUp           the command needs a running cluster
└── WrongRequest    what was asked for cannot be
"""


class ClusterError(Exception):
    """A failure with a message, and advice that may be empty."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class Unsupported(ClusterError):
    """This machine lacks something that is needed."""


class CommandFailed(ClusterError):
    """A program that we ran failed."""


class NotOurs(ClusterError):
    """The chosen cluster is not ours to create or delete."""


class NotReady(ClusterError):
    """Something did not come up in time."""


class NotUp(ClusterError):
    """The command needs a running cluster."""


class WrongRequest(ClusterError):
    """What was asked for cannot be."""
