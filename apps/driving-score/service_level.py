"""The service level of a month: how much was answered in time, per stage and method.

    python service_level.py --log /driving-score-prod/access
    python service_level.py --log /driving-score-prod/access --month 2026-10 --svg october.svg
    python service_level.py --api driving-score-prod --from 2026-10-01 --to 2026-10-08

From the access log every call is counted, exactly. From the metrics (`--api`) the same figures come
at once however many calls there were, as CloudWatch keeps them. All times are UTC.
"""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reporting import access_log, charts, metrics
from reporting.tally import AIM, LIMIT_MS


def moment(text):
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def month(text):
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)


def following(first):
    """The first day of the month after the one that begins at `first`."""
    return (first + timedelta(days=32)).replace(day=1)


def span(given):
    """Beginning and end of what is reported."""
    if given.since or given.until:
        until = given.until + timedelta(days=1) if given.until else datetime.now(UTC)
        return given.since or until - timedelta(days=30), until
    first = given.month or datetime.now(UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return first, following(first)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--log", help="the access log: the stack's output AccessLogName")
    source.add_argument("--api", help="the name of the API, to report from its metrics")
    parser.add_argument("--month", type=month, help="YYYY-MM; the present one when nothing is said")
    parser.add_argument("--from", dest="since", type=moment, help="the first day, YYYY-MM-DD")
    parser.add_argument("--to", dest="until", type=moment, help="the last day, YYYY-MM-DD")
    parser.add_argument("--svg", help="a file for the chart by days")
    parser.add_argument("--json", action="store_true", help="print JSON for programs, not tables")
    parser.add_argument("--strict", action="store_true", help="end with 1 when the aim was missed")
    given = parser.parse_args()
    since, until = span(given)
    if since >= until:
        parser.error("the first day is after the last")
    if given.log:
        tallies, unread = access_log.read(given.log, since, until)
    else:
        tallies, unread = metrics.read(given.api, since, until), 0
    if given.svg and tallies:
        Path(given.svg).write_text(charts.svg(tallies, since, until), encoding="utf-8")
    missed = [tally.name for tally in tallies if tally.share_in_time < AIM]
    if given.json:
        print(json.dumps(told(since, until, tallies, unread), indent=2))
    else:
        show(since, until, tallies, unread, given.svg)
    sys.exit(1 if missed and given.strict else 0)


def told(since, until, tallies, unread):
    """The report as JSON has it."""
    return {
        "from": since.date().isoformat(),
        "to": (until - timedelta(seconds=1)).date().isoformat(),
        "limitMs": LIMIT_MS,
        "aim": AIM,
        "unreadLines": unread,
        "methods": [tally.told() for tally in tallies],
    }


def show(since, until, tallies, unread, chart):
    last = until - timedelta(seconds=1)
    print(f"Service level, {since:%Y-%m-%d} to {last:%Y-%m-%d} (UTC)\n")
    if not tallies:
        print("nobody called")
        return
    print(charts.table(tallies))
    if unread:
        print(f"\n{unread} lines of the log could not be read, and are not counted")
    for tally in tallies:
        print(f"\n{charts.days(tally)}")
    if chart:
        print(f"\nthe chart is in {chart}")
    missed = [tally.name for tally in tallies if tally.share_in_time < AIM]
    verdict = f"missed by {', '.join(missed)}" if missed else "reached"
    print(f"\naim: {AIM:.1%} of the answers within {LIMIT_MS:,} ms: {verdict}")


if __name__ == "__main__":
    main()
