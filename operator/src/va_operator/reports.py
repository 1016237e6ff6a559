"""What a pod says of itself: the body of its `/ready`.

One side of `docs/reference/pod-contract.md`. A pod of another version may say more, or
less; what is not understood is not believed.
"""

import re
from dataclasses import dataclass
from typing import Final

from va_operator.api import Manifest

MODELS: Final = 16
"""How many models a status has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """How a pod found one of its models."""

    place: int
    """0 for the preferred model; two models may have one name."""
    name: str
    state: str
    """`Unknown`, `Ready`, `Degraded` or `Failed`."""
    reason: str | None
    message: str | None

    @property
    def error(self) -> str | None:
        """The last failure in one line."""
        return f"{self.reason}: {self.message}" if self.reason else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Why a pod lets nobody ask."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a pod is."""

    ready: bool
    revision: str
    tokens: int | None
    """Of the prompt of the preferred model without a question."""
    whole: bool | None = None
    """Whether the texts are in that prompt; None where the pod does not say."""
    models: tuple[ModelReport, ...]
    closed: Closed | None = None

    @property
    def answering(self) -> ModelReport | None:
        """The first model whose last word was an answer."""
        return next((model for model in self.models if model.state == "Ready"), None)

    @property
    def settled(self) -> bool:
        """Whether nothing better is to be expected soon."""
        answers = all(model.state == "Ready" for model in self.models)
        return self.ready and answers and self.closed is None


_STATES: Final = frozenset({"Unknown", "Ready", "Degraded", "Failed"})
_REASON: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")


def parse_report(body: Manifest) -> Report:
    """Read the body; raises ValueError where it is not one."""
    try:
        context, closed = body["context"], body.get("closed")
        whole = context.get("whole")
        return Report(
            ready=body["ready"] is True,
            revision=str(body["revision"]),
            tokens=_number(context.get("tokens")),
            whole=whole if isinstance(whole, bool) else None,
            models=tuple(_model(*item) for item in enumerate(body["models"][:MODELS])),
            closed=Closed(reason=_reason(closed["reason"]), message=_message(closed))
            if closed
            else None,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a /ready body: {error!r}") from error


def _model(place: int, raw: Manifest) -> ModelReport:
    error = raw.get("lastError") or {}
    state = str(raw["state"])
    if state not in _STATES:
        raise ValueError(f"not a state: {state[:32]!r}")
    return ModelReport(
        place=place,
        name=_printable(raw["name"])[:256],
        state=state,
        reason=_reason(error["reason"]) if error else None,
        message=_message(error) if error else None,
    )


def _message(error: Manifest) -> str:
    return _printable(error.get("message", ""))[:512]


def _printable(value: object) -> str:
    """Return foreign words as a status can hold them: half a surrogate pair could not be sent."""
    return "".join(c if c.isprintable() else " " for c in str(value))


def _reason(value: object) -> str:
    if not (isinstance(value, str) and _REASON.fullmatch(value)):
        raise ValueError(f"not a reason: {str(value)[:64]!r}")
    return value


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 2**53 else None
