"""The figures of a span from CloudWatch's metrics, which stages with detailed metrics publish."""

import math

import boto3

from reporting.tally import LIMIT_MS, PERCENTILES, Day, Figures

NAMESPACE = "AWS/ApiGateway"
DAY_SECONDS = 86_400
IN_TIME = f"PR(:{LIMIT_MS})"
"""The share of calls, in per cent, that took no longer than the limit."""


def read(api, since, until):
    """The figures of each stage and method of an API that was called in the span."""
    client = boto3.client("cloudwatch")
    found = []
    for dimensions in methods(client, api):
        figures = figures_of(client, dimensions, since, until)
        if figures.calls:
            found.append(figures)
    return sorted(found, key=lambda figures: figures.name)


def methods(client, api):
    """The dimensions of each method with metrics."""
    pages = client.get_paginator("list_metrics").paginate(
        Namespace=NAMESPACE,
        MetricName="Count",
        Dimensions=[{"Name": "ApiName", "Value": api}, {"Name": "Method"}, {"Name": "Resource"}],
    )
    return [metric["Dimensions"] for page in pages for metric in page["Metrics"]]


def figures_of(client, dimensions, since, until):
    whole = max(60, math.ceil((until - since).total_seconds() / 60) * 60)
    named = {one["Name"]: one["Value"] for one in dimensions}

    def points(metric, period, **statistics):
        answer = client.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=since,
            EndTime=until,
            Period=period,
            **statistics,
        )
        return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])

    def total(metric):
        return round(sum(p["Sum"] for p in points(metric, DAY_SECONDS, Statistics=["Sum"])))

    ranks = {rank: f"p{rank}" for rank in PERCENTILES}
    [latency] = points("Latency", whole, ExtendedStatistics=list(ranks.values())) or [None]
    days = days_of(points)
    return Figures(
        named["Stage"],
        f"{named['Method']} {named['Resource']}",
        sum(day.calls for day in days.values()),
        sum(day.late for day in days.values()),
        total("4XXError"),
        total("5XXError"),
        {
            rank: latency["ExtendedStatistics"][name] if latency else 0
            for rank, name in ranks.items()
        },
        days,
    )


def days_of(points):
    """Each day's calls, how many were late, and its 99th percentile."""
    counts = points("Latency", DAY_SECONDS, Statistics=["SampleCount"])
    extended = points("Latency", DAY_SECONDS, ExtendedStatistics=["p99", IN_TIME])
    by_day = {point["Timestamp"].date(): point["ExtendedStatistics"] for point in extended}
    days = {}
    for point in counts:
        day, calls = point["Timestamp"].date(), round(point["SampleCount"])
        in_time = by_day[day][IN_TIME] / 100
        days[day] = Day(calls, round(calls * (1 - in_time)), by_day[day]["p99"])
    return days
