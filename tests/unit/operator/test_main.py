"""How kopf is set up."""

from collections.abc import Iterable, Sized
from itertools import islice

from va_operator.main import kopf_settings


def test_kopf_never_gives_up_and_is_back_soon_after_the_api_server() -> None:
    pauses = kopf_settings().networking.error_backoffs
    assert isinstance(pauses, Iterable)
    assert not isinstance(pauses, Sized)
    for _ in range(2):  # each request begins anew
        found = list(islice(iter(pauses), 1000))
        assert len(found) == 1000, "without an end"
        assert found[0] <= 0.5
        assert max(found) <= 5
