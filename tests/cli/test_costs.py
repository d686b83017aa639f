"""`cumulet costs`: a table, its total, and the sentence that it is an estimate."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest


def run(cloud: Any, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cumulet", "costs", *words],
        capture_output=True,
        text=True,
        env=cloud.environment(),
    )


@pytest.fixture
def used(cloud: Any) -> str:
    queue = cloud.client("sqs").create_queue(QueueName="cli-costs")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="a")
    return "arn:aws:sqs:us-east-1:000000000000:cli-costs"


def test_the_month_is_shown_with_its_total_and_the_dates_of_its_prices(
    cloud: Any, used: str
) -> None:
    done = run(cloud, "--data", str(cloud.data))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["SERVICE", "USAGE", "TYPE", "AMOUNT", "USD"]
    assert re.search(r"^Amazon Simple Queue Service +Requests-Tier1 ", done.stdout, re.MULTILINE)
    assert lines[-1].startswith("total")
    assert "estimates" in done.stderr
    assert "no bill" in done.stderr
    assert "Prices are of 20" in done.stderr


def test_it_is_told_by_resource_and_to_programs(cloud: Any, used: str) -> None:
    done = run(cloud, "--data", str(cloud.data), "--by", "resource", "--json")
    told = json.loads(done.stdout)
    rows = {row["name"]: row for row in told["resource"]}
    assert rows[used]["of"] == "Amazon Simple Queue Service"
    assert told["usd"] == pytest.approx(sum(row["usd"] for row in told["resource"]))
    assert told["prices"]["oldest"] <= told["prices"]["newest"]


@pytest.mark.parametrize(
    ("month", "words"),
    [
        ("2026-13", "is no month"),
        ("november", "is no month"),
        ("2999-01", "has not come yet"),
    ],
)
def test_a_wrong_month_is_refused_with_a_hint(cloud: Any, month: str, words: str) -> None:
    done = run(cloud, "--data", str(cloud.data), "--month", month)
    assert done.returncode == 2
    assert words in done.stderr
    assert "hint:" in done.stderr


def test_a_month_before_all_that_is_kept_is_refused(cloud: Any) -> None:
    done = run(cloud, "--data", str(cloud.data), "--month", "2017-01")
    assert done.returncode == 1
    assert "hint: usage is kept for 14 months" in done.stderr


def test_an_example_needs_no_cloud(cloud: Any) -> None:
    done = run(cloud, "--example", "voice-quality", "--json")
    told = json.loads(done.stdout)
    assert told["usd"] == pytest.approx(sum(need["usd"] for need in told["needs"]))
    shown = run(cloud, "--example", "voice-quality", "--region", "eu-south-1")
    assert "those of us-east-1" in shown.stderr
