"""The parts of the driving score that need no cloud: its records, its ids, its arithmetic."""

import gzip
import importlib
import json
import statistics
import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clients.conftest import ROOT

APPLICATION = ROOT / "apps" / "driving-score"
NAMES = ("generate", "src", "src.ids", "reporting", "reporting.tally", "reporting.charts")


@pytest.fixture(scope="module")
def part():
    """Imports a module of the application, which is gone again afterwards."""
    sys.path.insert(0, str(APPLICATION))
    yield importlib.import_module
    sys.path.remove(str(APPLICATION))
    for name in NAMES:
        sys.modules.pop(name, None)


def generated(*words):
    command = [sys.executable, "-B", APPLICATION / "generate.py", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_range_is_the_same_by_itself_and_in_a_larger_one():
    whole = generated("--first", 0, "--count", 300).splitlines()
    parts = [generated("--first", at, "--count", 100).splitlines() for at in (0, 100, 200)]
    assert whole == [line for part in parts for line in part]
    last = json.loads(generated("--first", 15_999_999, "--count", 1))
    assert (last["id"], last["score"], last["km"]) == ("353752467654", 77, 41769.3)


def test_a_packed_file_holds_what_an_open_one_does(tmp_path):
    files = [tmp_path / name for name in ("open.csv", "one.csv.gz", "two.csv.gz")]
    for file in files:
        generated("--count", 50, "--format", "csv", "--output", file)
    unpacked = gzip.decompress(files[1].read_bytes())
    assert unpacked == files[0].read_bytes()
    assert files[1].read_bytes() == files[2].read_bytes()
    assert unpacked.count(b"\n") == 51


def test_the_formats_tell_the_same(part):
    generate = part("generate")
    for index in (0, 1, 8_000_000):
        record = generate.record(index)
        [plain] = generate.lines("json", index, 1)
        [item] = generate.lines("dynamodb", index, 1)
        head, row = generate.lines("csv", index, 1)
        assert json.loads(plain) == record
        assert json.loads(item)["Item"] == generate.item(index)
        named = dict(zip(head.split(","), row.split(","), strict=True))
        assert named == {name: str(value) for name, value in record.items()}


def test_records_are_realistic(part):
    generate = part("generate")
    records = [generate.record(index) for index in range(2_000)]
    assert len({record["id"] for record in records}) == len(records)
    scores = [record["score"] for record in records]
    assert 45 < statistics.mean(scores) < 70
    assert 8 < statistics.pstdev(scores) < 20
    assert all(1 <= score <= 100 for score in scores)
    for record in records:
        assert record["km"] >= max(record["km_night"], record["km_urban"]) >= 0
        assert record["observed_from"] < record["observed_to"] == record["computed_at"][:10]
        date.fromisoformat(record["observed_to"])
    sizes = [size_bytes(generate.item(index)) for index in range(500)]
    assert 235 < statistics.mean(sizes) < 265


def size_bytes(item):
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    return sum(
        len(name) + (len(value["S"]) if "S" in value else len(value["N"]) // 2 + 1)
        for name, value in item.items()
    )


@settings(max_examples=50)
@given(
    index=st.integers(0, 9_999_999_999),
    place=st.integers(0, 11),
    digit=st.sampled_from("0123456789"),
)
def test_an_id_with_a_wrong_digit_is_none(part, index, place, digit):
    ids = part("src.ids")
    right = part("generate").record_id(index)
    assert ids.is_id(right)
    wrong = right[:place] + digit + right[place + 1 :]
    assert ids.is_id(wrong) is (wrong == right)
    swapped = right[:place] + right[place : place + 2][::-1] + right[place + 2 :]
    assert ids.is_id(swapped) is (swapped == right)


@pytest.mark.parametrize(
    "text", ["", "1", "31415926531", "3141592653120", "３14159265312", "a" * 12]
)
def test_other_texts_are_no_ids(part, text):
    assert not part("src.ids").is_id(text)


@settings(max_examples=50)
@given(latencies=st.lists(st.integers(0, 3_000), min_size=1, max_size=400))
def test_percentiles_are_those_of_a_sorted_list(part, latencies):
    tally_of = part("reporting.tally")
    tally = tally_of.Tally()
    for number, latency in enumerate(latencies):
        tally.count(date(2026, 1, 1 + number % 3), latency, 200)
    figures = tally.figures("prod", "GET /scores/{id}")
    ordered = sorted(latencies)
    for rank, found in figures.percentiles.items():
        within = sum(latency <= found for latency in ordered)
        below = sum(latency < found for latency in ordered)
        assert found in ordered
        assert below * 1000 < rank * 10 * len(ordered) <= within * 1000
    assert figures.late == sum(latency > 1000 for latency in latencies)
    assert sum(day.calls for day in figures.days.values()) == len(latencies)


def test_a_month_below_the_aim_is_told(part):
    tally_of, charts = part("reporting.tally"), part("reporting.charts")
    tally = tally_of.Tally()
    for number in range(1_000):
        latency, status = (1_001, 502) if number < 3 else (1_000, 200 if number > 10 else 404)
        tally.count(date(2026, 1, 1), latency, status)
    figures = tally.figures("prod", "GET /scores/{id}")
    assert (figures.late, figures.client_errors, figures.server_errors) == (3, 8, 3)
    assert figures.percentiles[99.8] == 1_001
    assert figures.share_in_time == pytest.approx(0.997)
    assert figures.share_in_time < tally_of.AIM
    assert "99.700%  below the aim" in charts.days(figures)
