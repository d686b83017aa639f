"""Metric math: expressions over time series, read and worked out. Pure.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

from cumulet.services.cloudwatch.metrics.math.evaluate import evaluate_expression
from cumulet.services.cloudwatch.metrics.math.grammar import (
    Expression,
    MathError,
    names_in,
    parse_expression,
)
from cumulet.services.cloudwatch.metrics.math.values import Series, Shelf

__all__ = [
    "Expression",
    "MathError",
    "Series",
    "Shelf",
    "evaluate_expression",
    "names_in",
    "parse_expression",
]
