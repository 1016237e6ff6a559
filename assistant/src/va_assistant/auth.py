"""Who may ask at all: whoever sends one of the tokens in a Secret's file.

The file is read anew for every question, like the API key's, so that a token that is added or
taken out counts as soon as the kubelet brings it.
"""

import hmac
from dataclasses import dataclass
from pathlib import Path

from va_assistant.errors import Failure, Reason


@dataclass(frozen=True, slots=True)
class Tokens:
    """A file with a token in each line; several at once let them be changed without a gap."""

    path: Path

    def check(self, *, authorization: str, token: str) -> None:
        """Return where a header carries a token; raises `Unauthorized` or `TokenMissing`.

        `token` is the header `X-VA-Token`, which is taken too: the Kubernetes API server's proxy
        keeps `Authorization` for itself.

        A file that is missing or empty lets nobody in.
        """
        known = self._read()
        given = _given(authorization, token)
        if not given:
            raise Failure(
                Reason.UNAUTHORIZED, "a token is needed, as `Authorization: Bearer TOKEN`"
            )
        # All are compared to their end, so that the time tells nothing of any.
        matches = [hmac.compare_digest(one, other) for one in given for other in known]
        if not any(matches):
            raise Failure(Reason.UNAUTHORIZED, "the token is not one that is known here")

    def fault(self) -> Failure | None:
        """Return why nobody can ask now; None where a token would do."""
        try:
            self._read()
        except Failure as failure:
            return failure
        return None

    def _read(self) -> list[bytes]:
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise Failure(
                Reason.TOKEN_MISSING,
                f"the tokens' file {self.path.name}: {error.strerror}; nobody can ask",
            ) from None
        tokens = [line.strip() for line in lines if line.strip()]
        if not tokens:
            raise Failure(
                Reason.TOKEN_MISSING, f"the tokens' file {self.path.name} is empty; nobody can ask"
            )
        return tokens


def _given(authorization: str, token: str) -> list[bytes]:
    scheme, _, bearer = authorization.strip().partition(" ")
    found = (bearer if scheme.lower() == "bearer" else "", token)
    # Headers are Latin-1 on their way.
    return [one.strip().encode("latin-1", "replace") for one in found if one.strip()]
