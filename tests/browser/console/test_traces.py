"""Traces found, read and drawn in the console."""

import json
import secrets
import time

import pytest
from playwright.sync_api import expect
from tests.browser.steps import go, look_over


def send(cloud, name, *, fault):
    """A trace of a stage that calls a function that calls a table; its id."""
    began = time.time() - 5
    trace = f"1-{int(began):08x}-{secrets.token_hex(12)}"
    top, call, mine, table = (secrets.token_hex(8) for _ in range(4))
    stage = {
        "id": top,
        "trace_id": trace,
        "name": f"{name}/prod",
        "origin": "AWS::ApiGateway::Stage",
        "start_time": began,
        "end_time": began + 0.4,
        "fault": fault,
        "http": {
            "request": {"method": "GET", "url": f"https://{name}.example/scores"},
            "response": {"status": 500 if fault else 200},
        },
        "subsegments": [
            {
                "id": call,
                "name": "Lambda",
                "namespace": "aws",
                "start_time": began + 0.05,
                "end_time": began + 0.39,
            }
        ],
    }
    thrown = {"id": secrets.token_hex(8), "type": "ScoreError", "message": "no such driver"}
    thrown["stack"] = [{"path": "scores.py", "line": 12, "label": "handler"}]
    function = {
        "id": mine,
        "trace_id": trace,
        "parent_id": call,
        "name": f"{name}-function",
        "origin": "AWS::Lambda::Function",
        "start_time": began + 0.1,
        "end_time": began + 0.38,
        "fault": fault,
        "cause": {"exceptions": [thrown]} if fault else {},
        "subsegments": [
            {
                "id": table,
                "name": "DynamoDB",
                "namespace": "aws",
                "start_time": began + 0.2,
                "end_time": began + 0.3,
                "aws": {"operation": "GetItem", "table_name": "drivers"},
            }
        ],
    }
    answer = cloud.client("xray").put_trace_segments(
        TraceSegmentDocuments=[json.dumps(stage), json.dumps(function)]
    )
    assert answer["UnprocessedTraceSegments"] == []
    return trace


@pytest.fixture
def both(cloud):
    """The ids of a trace that went well and of one that failed."""
    return send(cloud, "console-well", fault=False), send(cloud, "console-ill", fault=True)


def test_traces_are_filtered(console, both):
    well, ill = both
    go(console, "traces", "Traces")
    # Longer than X-Ray takes at once: it is asked for part by part.
    console.get_by_label("The last").select_option("168")
    expect(console.get_by_role("link", name=well)).to_be_visible()
    expect(console.get_by_role("link", name=ill)).to_be_visible()
    console.get_by_label("Filter expression").fill('service("console-ill-function") AND fault')
    console.get_by_role("button", name="Search").click()
    expect(console.get_by_role("link", name=well)).to_have_count(0)
    row = console.get_by_role("row").filter(has_text=ill)
    expect(row).to_contain_text("✗ fault")
    expect(row).to_contain_text("GET https://console-ill.example/scores")
    assert not look_over(console)


def test_a_wrong_filter_is_told(console, faults):
    go(console, "traces", "Traces")
    console.get_by_label("Filter expression").fill("service(")
    console.get_by_role("button", name="Search").click()
    expect(console.get_by_role("alert")).to_contain_text("InvalidRequestException")
    faults.seen.clear()


def test_a_trace_is_a_waterfall_that_tells_what_failed(console, both):
    _, ill = both
    go(console, f"traces/{ill}", ill)
    names = console.locator(".fall .name").all_inner_texts()
    assert names == ["✗ console-ill/prod", "Lambda", "✗ console-ill-function", "DynamoDB"]
    expect(console.get_by_text("ScoreError: no such driver").first).to_be_visible()
    expect(console.get_by_text("scores.py:12 handler").first).to_be_visible()
    console.get_by_role("button", name="DynamoDB").click()
    expect(console.get_by_text('"table_name": "drivers"')).to_be_visible()
    expect(console.get_by_text("Begins after")).to_be_visible()
    assert not look_over(console)


def test_the_map_marks_faults_in_words(console, both):
    go(console, "traces/map", "Traces")
    console.get_by_label("The last").select_option("12")
    drawing = console.get_by_role("img", name="services.")
    expect(drawing).to_be_visible()
    label = drawing.get_attribute("aria-label")
    assert "console-ill-function, AWS::Lambda::Function" in label
    bad = drawing.locator(".box.bad").filter(has_text="console-ill-function")
    expect(bad).to_contain_text("✗")
    expect(bad).to_contain_text("fault")
    good = drawing.locator(".box").filter(has_text="console-well-function")
    expect(good).to_contain_text("✓ no faults")
    with console.expect_download() as waiting:
        console.get_by_role("button", name="Save the picture Service map as SVG").click()
    assert "console-ill-function" in waiting.value.path().read_text()
