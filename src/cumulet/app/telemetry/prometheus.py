"""Series as text for Prometheus: its own format, and OpenMetrics. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/
https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from cumulet.app.telemetry.limits import SLICE
from cumulet.app.telemetry.naming import Family, label_of
from cumulet.app.telemetry.process import Figure
from cumulet.app.telemetry.registry import Labels, Series

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_ABOUT_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n"})


def wants_open_metrics(accept: str) -> bool:
    """Whether a scraper's Accept header puts OpenMetrics first."""
    best: tuple[float, bool] = (0.0, False)
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        is_open = kind == "application/openmetrics-text"
        version = next((p[8:].strip('"') for p in parameters if p.startswith("version=")), "")
        # Its first draft had another form of the same lines, which nobody asks for alone.
        if is_open and version not in ("", "1.0.0", "0.0.1"):
            continue
        if not is_open and kind not in ("text/plain", "text/*", "*/*"):
            continue
        try:
            weight = float(next((p[2:] for p in parameters if p.startswith("q=")), "1"))
        except ValueError:
            weight = 0.0
        best = max(best, (weight, is_open), key=lambda one: one[0])
    return best[1]


def exposed(series: Sequence[Series], figures: Iterable[Figure], *, is_open: bool) -> Iterator[str]:
    """The whole page in pieces of a few series each; `series` has those of a family together."""
    for _, alike in groupby(series, key=lambda one: one.family.name):
        of_one = list(alike)
        yield _head(of_one[0].family, is_open)
        for at in range(0, len(of_one), SLICE):
            piece = [line for one in of_one[at : at + SLICE] for line in _lines(one, is_open)]
            yield "".join(piece)
    ordered = sorted(figures, key=lambda one: one.family.name)
    for _, some in groupby(ordered, key=lambda one: one.family.name):
        alike_figures = list(some)
        family = alike_figures[0].family
        yield _head(family, is_open)
        name = _sample_name(family)
        yield "".join(_line(name, _text(one.labels), one.value) for one in alike_figures)
    if is_open:
        yield "# EOF\n"


def _sample_name(family: Family) -> str:
    return f"{family.name}_total" if family.kind == "counter" else family.name


def _head(family: Family, is_open: bool) -> str:
    name = family.name if is_open else _sample_name(family)
    escapes = _ESCAPES if is_open else _ABOUT_ESCAPES
    head = f"# HELP {name} {family.about.translate(escapes)}\n# TYPE {name} {family.kind}\n"
    # The unit must be how the name ends.
    if is_open and family.unit and name.endswith(f"_{family.unit}"):
        head += f"# UNIT {name} {family.unit}\n"
    return head


def _lines(series: Series, is_open: bool) -> Iterator[str]:
    family, labels = series.family, _text(series.labels)
    if family.kind != "histogram":
        yield _line(_sample_name(family), labels, series.total * family.scale)
    else:
        so_far = list(accumulate(series.buckets))
        bounds = (*(bound * family.scale for bound in family.bounds), math.inf)
        for bound, count in zip(bounds, so_far, strict=True):
            le = f'le="{_number(round(bound, 9))}"'
            inner = f"{labels[1:-1]},{le}" if labels else le
            yield f"{family.name}_bucket{{{inner}}} {count}\n"
        yield f"{family.name}_count{labels} {so_far[-1]}\n"
        yield _line(f"{family.name}_sum", labels, series.total * family.scale)
    if is_open and family.kind != "gauge":
        name = family.name
        yield f"{name}_created{labels} {_number(series.began)}\n"


def _line(name: str, labels: str, value: float) -> str:
    return f"{name}{labels} {_number(value)}\n"


def _text(labels: Labels) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{label_of(name)}="{value.translate(_ESCAPES)}"' for name, value in labels)
    return f"{{{inner}}}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))
