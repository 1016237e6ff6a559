"""Amounts as the API server writes them, so that ours and its are compared as texts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_operator.quantities import canonical_quantity

AS_KUBERNETES_1_34_WRITES_THEM = {
    "0": "0",
    "1": "1",
    "1000m": "1",
    "1500m": "1500m",
    "0.1": "100m",
    ".5": "500m",
    "0.5": "500m",
    "1e3": "1e3",
    "1e-3": "1e-3",
    "12e5": "1200e3",
    "1.5e3": "1500",
    "12e1": "120",
    "0e5": "0",
    "1e10": "10e9",
    "1e30": "1e30",
    "1e-9": "1e-3",
    "1Ki": "1Ki",
    "0.5Ki": "512",
    "1.5Gi": "1536Mi",
    "1024Ki": "1Mi",
    "1025Ki": "1025Ki",
    "1.1Gi": "1181116006400m",
    "0.001Ki": "1024m",
    "3.14Ki": "3215360m",
    "1k": "1k",
    "1000k": "1M",
    "1000M": "1G",
    "128M": "128M",
    "1000000": "1M",
    "123456789": "123456789",
    "9223372036854775807": "9223372036854775807",
    "0Mi": "0",
    "0m": "0",
    "1u": "1m",
    "1000n": "1m",
    "1.2345678901": "1235m",
    "1.0Mi": "1Mi",
}


@pytest.mark.parametrize(("given_", "written"), AS_KUBERNETES_1_34_WRITES_THEM.items())
def test_an_amount_is_written_as_the_api_server_writes_it(given_: str, written: str) -> None:
    assert canonical_quantity(given_) == written


@pytest.mark.parametrize(("given_", "written"), [("+1", "1"), ("00100m", "100m"), ("1E3", "1e3")])
def test_odd_spellings_are_made_plain(given_: str, written: str) -> None:
    assert canonical_quantity(given_) == written


def test_a_number_is_an_amount_too() -> None:
    assert canonical_quantity(2_000_000) == "2M"


@pytest.mark.parametrize("text", ["", "a", "1 Gi", "1e", "Gi", "1e1.5", "--1", "1,5"])
def test_what_is_no_amount_stays_as_it_is(text: str) -> None:
    assert canonical_quantity(text) == text


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999", "1e2147483648"])
def test_an_exponent_without_bounds_costs_nothing(text: str) -> None:
    assert canonical_quantity(text) == text


numbers = st.from_regex(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?", fullmatch=True)
SUFFIXES = {"m": Fraction(1, 1000), "": Fraction(1)} | {
    unit: Fraction(factor)
    for n, (decimal, binary) in enumerate(
        zip(["k", "M", "G", "T", "P"], ["Ki", "Mi", "Gi", "Ti", "Pi"], strict=True), 1
    )
    for unit, factor in ((decimal, 1000**n), (binary, 1024**n))
}


def value_of(text: str) -> Fraction:
    number = text.rstrip("mkMGTPEiK")
    return Fraction(number) * SUFFIXES[text[len(number) :]]


@given(number=numbers, suffix=st.sampled_from([s for s in SUFFIXES if s != "m"]))
def test_the_amount_stays_what_it_was(number: str, suffix: str) -> None:
    assert value_of(canonical_quantity(number + suffix)) == value_of(number + suffix)


@given(number=numbers, suffix=st.sampled_from([*SUFFIXES, "u", "n", "e3", "e-2"]))
def test_a_canonical_form_is_its_own(number: str, suffix: str) -> None:
    once = canonical_quantity(number + suffix)
    assert canonical_quantity(once) == once
