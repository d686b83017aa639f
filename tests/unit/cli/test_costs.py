import pytest

from cumulet.cli.commands.costs import dollars, plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (10_800_000, "10,800,000"),
        (123_456_789.5, "123,456,790"),
        (0.5, "0.5"),
        (1.02269e-05, "0.0000102269"),
    ],
)
def test_amounts_have_six_digits_and_no_exponent(value, text):
    assert plain(value, 6) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (1_234.5, "1,234.50"), (0.01, "0.01"), (9.2e-07, "0.00000092")],
)
def test_dollars_have_cents_or_as_many_decimals_as_they_need(value, text):
    assert dollars(value) == text
