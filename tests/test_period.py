"""Months of dates: a table of written forms, Arrow's own types, and what must give none."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.attributes.period import FIRST_YEAR, LAST_YEAR, parse_date, periods

CASES = json.loads((Path(__file__).parent / "cases" / "dates.json").read_text("utf-8"))
REFERENCE = date(2024, 3, 1)


def months(*values: str | None, reference: date | None = None) -> list[str | None]:
    found: list[str | None] = periods(pa.array(values, pa.string()), reference).to_pylist()
    return found


def test_the_table_of_forms() -> None:
    absolute = CASES["absolute"]
    relative = CASES["relative to 2024-03-01"]
    assert len(absolute) + len(relative) >= 60
    for case, found in zip(absolute, months(*(text for text, _ in absolute)), strict=True):
        assert found == case[1], case
    found_relative = months(*(text for text, _ in relative), reference=REFERENCE)
    for case, found in zip(relative, found_relative, strict=True):
        assert found == case[1], case


def test_a_relative_date_needs_a_reference() -> None:
    assert months("il y a 3 jours", "hier") == [None, None]
    assert months("il y a 3 jours", "hier", reference=REFERENCE) == ["2024-02", "2024-02"]


@given(st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)))
def test_every_day_in_every_form(day: date) -> None:
    forms = [
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day:%d.%m.%Y}",
        f"{day:%Y-%m-%dT%H:%M:%SZ}",
        f"{day:%Y%m%d}",
        f"{day:%d %B %Y}",
        f"{day:%b %d, %Y}",
    ]
    assert set(months(*forms)) == {f"{day:%Y-%m}"}


def test_a_time_zone_does_not_move_the_date_as_written() -> None:
    assert months("2023-03-31T23:59:59-11:00", "2023-04-01T00:00:00+14:00") == [
        "2023-03",
        "2023-04",
    ]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([date(2023, 3, 12), None]),
        pa.array([datetime(2023, 3, 12, 10, 0), None]),
        pa.array([datetime(2023, 3, 12, 10, 0), None], pa.timestamp("ms")),
        pa.array([1678600000, None], pa.int64()),
        pa.array([1678600000.0, None], pa.float64()),
        pa.array(["2023-03-12", None], pa.large_string()),
    ],
)
def test_arrow_types(values: pa.Array) -> None:
    assert periods(values).to_pylist() == ["2023-03", None]


def test_years_out_of_range_are_none_in_every_type() -> None:
    early, late = date(FIRST_YEAR - 1, 12, 31), date(LAST_YEAR + 1, 1, 1)
    assert periods(pa.array([early, late])).to_pylist() == [None, None]
    assert months(early.isoformat(), late.isoformat()) == [None, None]


def test_nothing_in_nothing_out() -> None:
    assert len(periods(pa.array([], pa.string()))) == 0
    assert periods(pa.nulls(2, pa.string())).to_pylist() == [None, None]


def test_slices_and_neighbours() -> None:
    values = pa.array(["2023-03-12", "12/04/2023", None, "n'importe quoi", "2023-05-01T00:00"])
    whole = periods(values).to_pylist()
    assert whole == ["2023-03", "2023-04", None, None, "2023-05"]
    for begin in range(5):
        assert periods(values.slice(begin)).to_pylist() == whole[begin:]


@given(st.text(max_size=100))
def test_any_text_gives_a_month_in_range_or_none(text: str) -> None:
    (month,) = months(text)
    assert month is None or FIRST_YEAR <= int(month[:4]) <= LAST_YEAR
    parse_date(text, REFERENCE)


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.builds(
                "{0:04}-{1:02}-{2:02}{3}".format,
                st.integers(1990, 2050) | st.integers(0, 9999),
                st.integers(0, 14),
                st.integers(0, 33),
                st.sampled_from(["", "T10:00:00Z", " 10:00", "x", "1"]),
            ),
            st.builds(
                "{0:02}/{1:02}/{2:04}{3}".format,
                st.integers(0, 33),
                st.integers(0, 14),
                st.integers(1990, 2050),
                st.sampled_from(["", " 10:00", "1"]),
            ),
            st.text(st.sampled_from("0123456789-/T é"), max_size=12),
        )
    )
)
def test_dates_read_together_are_those_read_one_by_one(texts: list[str | None]) -> None:
    """Plain dates are read from the bytes of the column, others by patterns; both say the same."""

    def month(text: str | None) -> str | None:
        # Behind a day only its time may stand.
        found = parse_date(text[:10] if text[10:11] in {"T", " "} else text) if text else None
        known = found is not None and FIRST_YEAR <= found.year <= LAST_YEAR
        return f"{found.year}-{found.month:02}" if found is not None and known else None

    assert periods(pa.array(texts, pa.string())).to_pylist() == [month(text) for text in texts]
