"""Amounts in every usual style become exact numbers, or a sentence."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.imports.amounts import MarkEvidence, read_number
from sync.imports.problems import UnreadableValue

amounts = st.decimals(min_value=Decimal("-999999999.99"), max_value=Decimal("999999999.99"), places=2)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1250", "1250"),
        ("1250.5", "1250.50"),
        ("$1,250.00", "1250.00"),
        ("1.250,75", "1250.75"),
        ("1 250,75", "1250.75"),
        ("1\u00a0250,75", "1250.75"),
        ("1'250.75", "1250.75"),
        ("(1,250.00)", "-1250.00"),
        ("($1,250.00)", "-1250.00"),
        ("$(1,250.00)", "-1250.00"),
        ("-$1,250.00", "-1250.00"),
        ("$-1,250.00", "-1250.00"),
        ("\u22121,250.00", "-1250.00"),
        ("1,250.00-", "-1250.00"),
        ("USD 1,250.00", "1250.00"),
        ("1,250.00 USD", "1250.00"),
        ("US$1,250.00", "1250.00"),
        ("1,234,567", "1234567"),
        ("$12,000", "12000"),
        (".75", "0.75"),
        ("-", "0"),
        ("0", "0"),
        ("-0.00", "0"),
    ],
)
def test_an_amount_is_read_as_its_writer_meant_it(text: str, amount: str) -> None:
    found = read_number(text, kind="amount", mark=None, currency="USD")
    assert found == Decimal(amount)
    assert str(found) != "-0.00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ten", "is not an amount"),
        ("TBD", "is not an amount"),
        ("1,250.00 CR", "is not an amount"),
        ("12-50", "is not an amount"),
        ("1,25,0.00", "separators in unusual places"),
        ("12,34.50", "separators in unusual places"),
        ("12.505", "can mean 12505 or 12.505"),
        ("0.505", "fractions of a cent"),
        ("€1,250.00", "is not in USD"),
        ("EUR 1,250.00", "is not in USD"),
        ("9999999999999999.00", "more than 15 digits"),
        ("1e5", "is not an amount"),
        ("NaN", "is not"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_remedy(text: str, said: str) -> None:
    with pytest.raises(UnreadableValue, match=said) as refused:
        read_number(text, kind="amount", mark=None, currency="USD")
    assert refused.value.suggestion.endswith(".")


def test_a_lone_separator_before_three_digits_follows_the_rest_of_the_file() -> None:
    assert read_number("1,250", kind="quantity", mark=",") == Decimal("1.250")
    assert read_number("1,250", kind="quantity", mark=".") == Decimal(1250)
    assert read_number("1.250", kind="amount", mark=",") == Decimal(1250)


@pytest.mark.parametrize("kind", ["quantity", "price"])
def test_a_quantity_that_could_be_a_thousand_times_more_is_refused(kind: str) -> None:
    with pytest.raises(UnreadableValue, match=r"can mean 1250 or 1\.250"):
        read_number("1,250", kind=kind, mark=None)  # type: ignore[arg-type]  # a parametrised literal


def test_prices_keep_four_digits() -> None:
    assert read_number("0.1275", kind="price", mark=".") == Decimal("0.1275")
    with pytest.raises(UnreadableValue, match="more than 4 digits"):
        read_number("0.12755", kind="price", mark=".")


def test_a_file_that_shows_both_marks_settles_nothing() -> None:
    evidence = MarkEvidence()
    evidence.note("1.250,75")
    assert evidence.mark == ","
    evidence.note("99.50")
    assert evidence.mark is None


def american(amount: Decimal) -> str:
    return f"(${-amount:,.2f})" if amount < 0 else f"${amount:,.2f}"


def european(amount: Decimal) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def swiss(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", "'")


def trailing_minus(amount: Decimal) -> str:
    return f"{-amount:.2f}-" if amount < 0 else f"{amount:.2f}"


@given(amounts, st.sampled_from([str, american, european, swiss, trailing_minus]))
def test_every_amount_survives_being_written_and_read(amount: Decimal, write: object) -> None:
    assert callable(write)
    assert read_number(write(amount), kind="amount", mark=None, currency="USD") == amount


@given(st.text(max_size=20))
def test_any_text_is_an_exact_number_or_a_sentence(text: str) -> None:
    try:
        found = read_number(text, kind="amount", mark=None, currency="USD")
    except UnreadableValue as refused:
        said = (refused.problem, refused.suggestion)
    else:
        said = ("", "")
        assert isinstance(found, Decimal)
        assert found == round(found, 2)
    assert all(said) or said == ("", "")
