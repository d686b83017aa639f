"""The figures as a table, as bars in text, and as an SVG chart by days."""

from datetime import timedelta
from xml.sax.saxutils import escape

from reporting.tally import AIM, LIMIT_MS, PERCENTILES, Day

BAR = 40
HEAD = (
    "stage", "method", "calls", *(f"p{rank} ms" for rank in PERCENTILES),
    "4xx", "5xx", f"over {LIMIT_MS:,} ms", "in time",
)  # fmt: skip


def table(tallies):
    """One line for each method of each stage."""
    rows = [HEAD]
    for one in tallies:
        latencies = [f"{one.percentiles[rank]:,.0f}" for rank in PERCENTILES]
        counts = [f"{count:,}" for count in (one.client_errors, one.server_errors, one.late)]
        in_time = f"{one.share_in_time:.3%}"
        rows.append((one.stage, one.method, f"{one.calls:,}", *latencies, *counts, in_time))
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def days(one):
    """A bar for each day: its calls, its 99th percentile, and the share that was in time."""
    most = max(day.calls for day in one.days.values())
    lines = [f"{one.name}, by days"]
    for at, day in one.days.items():
        bar = "█" * max(1, round(BAR * day.calls / most))
        share = 1 - day.late / day.calls
        mark = "" if share >= AIM else "  below the aim"
        lines.append(
            f"{at}  {bar:<{BAR}}  {day.calls:>9,}  p99 {day.p99:>6,.0f} ms  {share:.3%}{mark}"
        )
    return "\n".join(lines)


WIDTH, HEIGHT, LEFT, TOP = 960, 300, 70, 50
CALLS, LATE = "#4878a8", "#c23b22"


def svg(tallies, since, until):
    """A panel for each method: calls as bars, their 99th percentile as a line, late days in red."""
    height = HEIGHT * len(tallies)
    panels = [panel(one, since, until, HEIGHT * place) for place, one in enumerate(tallies)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n'
        + "\n".join(panels)
        + "\n</svg>\n"
    )


def panel(one, since, until, top):
    first, last = since.date(), (until - timedelta(seconds=1)).date()
    dates = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    shown = [one.days.get(at, Day()) for at in dates]
    most = max(1, *(day.calls for day in shown))
    slowest = max(float(LIMIT_MS), *(day.p99 for day in shown))
    step, floor, room = (WIDTH - 2 * LEFT) / len(dates), top + HEIGHT - 40, HEIGHT - TOP - 50
    words = f"{one.calls:,} calls, {one.share_in_time:.3%} within {LIMIT_MS:,} ms"
    parts = [
        label(LEFT, top + 24, f"{one.name}: {words} (aim {AIM:.1%})", weight="bold"),
        label(LEFT - 6, floor - room + 4, f"{most:,} calls", anchor="end"),
        label(WIDTH - LEFT + 6, floor - room + 4, f"{slowest:,.0f} ms"),
        label(LEFT, floor + 18, str(first)),
        label(WIDTH - LEFT, floor + 18, str(last), anchor="end"),
    ]
    line = []
    for at, day in enumerate(shown):
        left, tall = LEFT + at * step, room * day.calls / most
        late = bool(day.calls) and 1 - day.late / day.calls < AIM
        parts.append(
            f'<rect x="{left:.1f}" y="{floor - tall:.1f}" width="{step * 0.8:.1f}" '
            f'height="{tall:.1f}" fill="{LATE if late else CALLS}"><title>{dates[at]}: '
            f"{day.calls:,} calls, {day.late:,} late, p99 {day.p99:,.0f} ms</title></rect>"
        )
        if day.calls:
            line.append(f"{left + step * 0.4:.1f},{floor - room * day.p99 / slowest:.1f}")
    limit = floor - room * LIMIT_MS / slowest
    parts.append(
        f'<line x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{limit:.1f}" y2="{limit:.1f}" '
        f'stroke="{LATE}" stroke-dasharray="4 4"/>'
    )
    parts.append(
        f'<polyline points="{" ".join(line)}" fill="none" stroke="#222" stroke-width="1.5"/>'
    )
    return "\n".join(parts)


def label(x, y, words, anchor="start", weight="normal"):
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(words)}</text>"
    )
