"""Traces over the wire: sent, looked for, told whole, and as graphs.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api.html
"""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud


@pytest.fixture
def xray(cloud: Cloud) -> Any:
    return cloud.client("xray")


class Story:
    """A trace of a gateway that calls a function, which reads a table."""

    def __init__(self, mark: str = "", **more: Any) -> None:
        self.now = time.time() - 10
        self.mark = mark or f"app-{secrets.token_hex(6)}"
        self.id = f"1-{int(self.now):08x}-{secrets.token_hex(12)}"
        gateway, function, table = (secrets.token_hex(8) for _ in range(3))
        self.documents: list[dict[str, Any]] = [
            {
                "id": gateway,
                "trace_id": self.id,
                "name": f"{self.mark}/prod",
                "origin": "AWS::ApiGateway::Stage",
                "start_time": self.now,
                "end_time": self.now + 0.5,
                "http": {
                    "request": {"url": "https://x/orders", "method": "GET"},
                    "response": {"status": 502},
                },
                **more,
            },
            {
                "id": function,
                "trace_id": self.id,
                "parent_id": gateway,
                "name": self.mark,
                "origin": "AWS::Lambda::Function",
                "start_time": self.now + 0.1,
                "end_time": self.now + 0.4,
                "annotations": {"tenant": self.mark, "tries": 3, "paid": True},
                "user": "u1",
                "subsegments": [
                    {
                        "id": table,
                        "name": "DynamoDB",
                        "namespace": "aws",
                        "start_time": self.now + 0.2,
                        "end_time": self.now + 0.3,
                        "fault": True,
                    }
                ],
            },
        ]

    def send(self, xray: Any) -> Story:
        texts = [json.dumps(one) for one in self.documents]
        answer = xray.put_trace_segments(TraceSegmentDocuments=texts)
        assert answer["UnprocessedTraceSegments"] == []
        return self

    def summaries(self, xray: Any, expression: str = "") -> list[dict[str, Any]]:
        """Those of this story, as an expression finds them."""
        own = f'annotation.tenant = "{self.mark}"'
        words = {"StartTime": self.now - 60, "EndTime": self.now + 60}
        pages = xray.get_paginator("get_trace_summaries").paginate(
            **words, FilterExpression=f"{own} AND ({expression})" if expression else own
        )
        return [one for page in pages for one in page["TraceSummaries"]]


def refused(call: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**words)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_trace_is_found_and_told_whole(xray: Any) -> None:
    story = Story(fault=True).send(xray)
    (summary,) = story.summaries(xray)
    assert summary["Id"] == story.id
    assert summary["Duration"] == pytest.approx(0.5, abs=0.001)
    assert (summary["HasFault"], summary["HasError"], summary["IsPartial"]) == (True, False, False)
    assert summary["Http"] == {
        "HttpURL": "https://x/orders",
        "HttpMethod": "GET",
        "HttpStatus": 502,
    }
    assert summary["EntryPoint"]["Type"] == "AWS::ApiGateway::Stage"
    told = {key: one[0]["AnnotationValue"] for key, one in summary["Annotations"].items()}
    assert told == {
        "tenant": {"StringValue": story.mark},
        "tries": {"NumberValue": 3.0},
        "paid": {"BooleanValue": True},
    }
    assert [one["UserName"] for one in summary["Users"]] == ["u1"]
    gone = "1-00000000-" + "0" * 24
    answer = xray.batch_get_traces(TraceIds=[story.id, gone])
    assert answer["UnprocessedTraceIds"] == [gone]
    (trace,) = answer["Traces"]
    assert trace["LimitExceeded"] is False
    documents = {one["Id"]: json.loads(one["Document"]) for one in trace["Segments"]}
    assert documents == {one["id"]: one for one in story.documents}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("fault", True),
        ("!fault OR error", False),
        ("ok = false AND fault = true", True),
        ("duration > 0.4 AND responsetime < 1", True),
        ('http.url CONTAINS "orders" AND http.status = 502', True),
        ('http.method != "GET"', False),
        ("annotation.tries >= 3", True),
        ("annotation[paid] = true", True),
        ('annotation.tries = "3"', False),
        ('user = "u1"', True),
        ('service("DynamoDB") { fault }', True),
        ('service("DynamoDB") { ok }', False),
        ('service("nobody")', False),
        ('NOT (http.url BEGINSWITH "ftp" OR http.url ENDSWITH "x")', True),
    ],
)
def test_expressions_find_what_they_say(xray: Any, expression: str, found: bool) -> None:
    story = Story(fault=True).send(xray)
    assert bool(story.summaries(xray, expression)) is found


def test_the_graph_has_services_and_the_calls_between_them(xray: Any) -> None:
    story = Story().send(xray)
    services = xray.get_trace_graph(TraceIds=[story.id])["Services"]
    by_name = {(one["Name"], one["Type"]): one for one in services}
    gateway = by_name[f"{story.mark}/prod", "AWS::ApiGateway::Stage"]
    function = by_name[story.mark, "AWS::Lambda::Function"]
    table = by_name["DynamoDB", "AWS::DynamoDB"]
    client = by_name["client", "client"]
    for begin, end in ((client, gateway), (gateway, function), (function, table)):
        assert [edge["ReferenceId"] for edge in begin["Edges"]] == [end["ReferenceId"]]
    assert (client["Root"], gateway["Root"]) == (True, False)
    assert table["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1
    assert function["SummaryStatistics"]["OkCount"] == 1
    assert function["SummaryStatistics"]["TotalResponseTime"] == pytest.approx(0.3, abs=0.001)
    span = {"StartTime": story.now - 60, "EndTime": story.now + 60}
    graph = xray.get_service_graph(**span)
    assert {story.mark, "DynamoDB"} <= {one["Name"] for one in graph["Services"]}


def test_a_group_is_a_graph_of_what_its_expression_matches(xray: Any) -> None:
    one, other = Story().send(xray), Story().send(xray)
    name = secrets.token_hex(8)
    made = xray.create_group(
        GroupName=name, FilterExpression=f'annotation.tenant = "{other.mark}"'
    )["Group"]
    span = {"StartTime": one.now - 60, "EndTime": one.now + 60}

    def names(**words: Any) -> set[str]:
        return {found["Name"] for found in xray.get_service_graph(**span, **words)["Services"]}

    assert one.mark not in names(GroupName=name)
    assert other.mark in names(GroupARN=made["GroupARN"])
    xray.update_group(GroupName=name, FilterExpression=f'annotation.tenant = "{one.mark}"')
    assert one.mark in names(GroupName=name)
    assert xray.get_group(GroupName=name)["Group"]["GroupARN"] == made["GroupARN"]
    assert {"Default", name} <= {found["GroupName"] for found in xray.get_groups()["Groups"]}
    assert refused(xray.create_group, GroupName=name)[0] == "InvalidRequestException"
    xray.delete_group(GroupName=name)
    assert refused(xray.get_group, GroupName=name)[1] == "Group not found."


def test_segments_that_do_not_hold_are_told_and_the_others_kept(xray: Any) -> None:
    story = Story()
    good, bad = story.documents
    texts = [
        "{",
        json.dumps({**bad, "id": "short"}),
        json.dumps({**bad, "trace_id": "x"}),
        json.dumps({**bad, "start_time": story.now - 40 * 86_400}),
        json.dumps({key: one for key, one in bad.items() if key != "end_time"}),
        json.dumps({**bad, "metadata": {"x": "y" * 70_000}}),
        json.dumps({**good, "annotations": {"tenant": story.mark}}),
    ]
    answer = xray.put_trace_segments(TraceSegmentDocuments=texts)["UnprocessedTraceSegments"]
    assert [one["ErrorCode"] for one in answer] == [
        "ParseError",
        "MissingId",
        "MissingTraceId",
        "InvalidTime",
        "MissingEndTime",
        "TooLarge",
    ]
    assert len(story.summaries(xray)) == 1
    xray.put_telemetry_records(
        TelemetryRecords=[{"Timestamp": time.time(), "SegmentsReceivedCount": 1}]
    )


def test_a_segment_under_way_is_replaced_when_it_ends(xray: Any) -> None:
    story = Story()
    ended = {**story.documents[0], "annotations": {"tenant": story.mark}}
    begun = {key: one for key, one in ended.items() if key != "end_time"}
    xray.put_trace_segments(TraceSegmentDocuments=[json.dumps({**begun, "in_progress": True})])
    assert story.summaries(xray)[0]["IsPartial"] is True
    xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(ended)])
    assert story.summaries(xray)[0]["IsPartial"] is False
    (trace,) = xray.batch_get_traces(TraceIds=[story.id])["Traces"]
    assert len(trace["Segments"]) == 1


def test_a_trace_that_is_too_large_says_so(xray: Any) -> None:
    story = Story()
    texts = [
        json.dumps({**story.documents[0], "id": f"{n:016x}", "metadata": {"x": "y" * 60_000}})
        for n in range(10)
    ]
    told = xray.put_trace_segments(TraceSegmentDocuments=texts)["UnprocessedTraceSegments"]
    assert {one["ErrorCode"] for one in told} == {"TraceSizeExceeded"}
    (trace,) = xray.batch_get_traces(TraceIds=[story.id])["Traces"]
    assert trace["LimitExceeded"] is True
    assert len(trace["Segments"]) + len(told) == 10


def test_many_large_traces_come_in_pages(cloud: Cloud) -> None:
    xray = cloud.client("xray", region="eu-west-3")
    stories = [Story("large", metadata={"x": "y" * 60_000}) for _ in range(20)]
    for story in stories:
        for number in range(8):
            one = {**story.documents[0], "id": f"{number:016x}", "annotations": {"tenant": "large"}}
            xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(one)])
    assert len(stories[0].summaries(xray)) == 20
    span = {"StartTime": stories[0].now - 60, "EndTime": stories[0].now + 120}
    first = xray.get_trace_summaries(**span)
    assert 0 < len(first["TraceSummaries"]) < 20
    services = {one["Name"]: one for one in xray.get_service_graph(**span)["Services"]}
    assert services["large/prod"]["SummaryStatistics"]["TotalCount"] == 160


def test_what_is_asked_wrongly_is_refused(xray: Any) -> None:
    now = time.time()
    span = {"StartTime": now - 60, "EndTime": now}
    for words in (
        {"StartTime": now, "EndTime": now - 60},
        {"StartTime": now - 2 * 86_400, "EndTime": now},
        {**span, "FilterExpression": "fault AND"},
        {**span, "FilterExpression": "weather = 1"},
        {**span, "FilterExpression": "!" * 100 + "fault"},
        {**span, "NextToken": "x"},
        {**span, "TimeRangeType": "Service"},
    ):
        assert refused(xray.get_trace_summaries, **words)[0] == "InvalidRequestException"
    ids = [f"1-00000000-{n:024x}" for n in range(6)]
    assert refused(xray.batch_get_traces, TraceIds=ids)[0] == "InvalidRequestException"
    code, _ = refused(xray.get_service_graph, StartTime=now - 7 * 3_600, EndTime=now)
    assert code == "InvalidRequestException"


def test_a_caller_needs_permission(cloud: Cloud) -> None:
    iam, user = cloud.client("iam"), f"xray-{secrets.token_hex(6)}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = cloud.client("xray", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    code, _ = refused(theirs.put_trace_segments, TraceSegmentDocuments=["{}"])
    assert code == "AccessDeniedException"
