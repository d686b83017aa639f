"""Alarms made, watched, changed and deleted from the console; boto3 sees each effect."""

import time

import pytest
from playwright.sync_api import expect
from tests.browser.steps import confirm, go, look_over, submit


@pytest.fixture
def watch(cloud):
    return cloud.client("cloudwatch")


def described(watch, name, kind="MetricAlarms"):
    found = watch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return found[kind][0] if found[kind] else None


def put(watch, name, value, at):
    watch.put_metric_data(
        Namespace="ConsoleShop",
        MetricData=[{"MetricName": name, "Value": value, "Timestamp": at}],
    )


def test_an_alarm_of_a_metric_lives(console, watch):
    """Made from a known metric, drawn with its threshold, changed, switched off, set, deleted."""
    now = time.time()
    for minutes in range(60):
        put(watch, "Orders", 10 + minutes % 7, now - 60 * minutes)
    go(console, "alarms", "Alarms")
    console.get_by_role("button", name="Create alarm").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Alarm name").fill("console-many-orders")
    dialog.get_by_label("Known metrics").select_option(label="ConsoleShop Orders ")
    expect(dialog.get_by_label("Namespace")).to_have_value("ConsoleShop")
    dialog.get_by_label("Statistic").fill("p90")
    dialog.get_by_label("Threshold").fill("40")
    dialog.get_by_label("Periods looked at").fill("3")
    dialog.get_by_label("Of them in alarm").fill("2")
    dialog.get_by_label("Missing data is").select_option("ignore")
    submit(console, "Create alarm")
    expect(console.get_by_role("heading", name="console-many-orders")).to_be_visible()
    made = described(watch, "console-many-orders")
    assert (made["MetricName"], made["ExtendedStatistic"]) == ("Orders", "p90")
    assert (made["EvaluationPeriods"], made["DatapointsToAlarm"]) == (3, 2)
    picture = console.get_by_role("img", name="console-many-orders.")
    expect(picture.locator(".threshold")).to_have_count(1)
    expect(picture.locator("path.line")).to_have_count(1)
    with console.expect_download() as waiting:
        console.get_by_role("button", name="Save the picture What it watches as PNG").click()
    assert waiting.value.path().read_bytes().startswith(b"\x89PNG")
    assert not look_over(console)

    console.get_by_role("button", name="Edit", exact=True).click()
    dialog.get_by_label("Threshold").fill("50")
    submit(console, "Save")
    expect(console.get_by_text("Orders p90 > 50")).to_be_visible()
    console.get_by_role("button", name="Disable actions").click()
    expect(console.get_by_role("button", name="Enable actions")).to_be_visible()
    assert not described(watch, "console-many-orders")["ActionsEnabled"]
    console.get_by_role("button", name="Enable actions").click()
    expect(console.get_by_role("button", name="Disable actions")).to_be_visible()
    assert described(watch, "console-many-orders")["ActionsEnabled"]
    console.get_by_role("button", name="Set state").click()
    dialog.get_by_label("Reason").fill("drill of the evening")
    submit(console, "Set state")
    expect(console.get_by_role("cell", name="to ALARM").first).to_be_visible()
    items = watch.describe_alarm_history(
        AlarmName="console-many-orders", HistoryItemType="StateUpdate"
    )["AlarmHistoryItems"]
    assert any("drill of the evening" in one["HistoryData"] for one in items)
    console.get_by_role("button", name="Delete", exact=True).click()
    confirm(console, "console-many-orders")
    expect(console.get_by_role("heading", name="Alarms", level=1)).to_be_visible()
    assert described(watch, "console-many-orders") is None


def test_an_alarm_of_alarms_tells_what_it_is_made_of(console, watch, faults):
    watch.put_metric_alarm(
        AlarmName="console-child",
        Namespace="ConsoleShop",
        MetricName="Nothing",
        Statistic="Sum",
        Period=86_400,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    watch.set_alarm_state(AlarmName="console-child", StateValue="ALARM", StateReason="a test")
    go(console, "alarms", "Alarms")
    console.get_by_role("button", name="Create composite alarm").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Alarm name").fill("console-whole")
    dialog.get_by_label("Rule").fill("ALARM(")
    dialog.get_by_role("button", name="Create alarm").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    # The browser itself writes down the one refused request.
    assert all("400" in fault for fault in faults.seen), faults.seen
    faults.seen.clear()
    dialog.get_by_label("Rule").fill('ALARM("console-child")')
    submit(console, "Create alarm")
    expect(console.get_by_role("link", name="console-child")).to_be_visible()
    expect(console.get_by_text("✗ In alarm").first).to_be_visible()
    assert described(watch, "console-whole", "CompositeAlarms")["AlarmRule"]
    assert not look_over(console)
    go(console, "alarms", "Alarms")
    row = console.get_by_role("row").filter(has_text="console-whole")
    expect(row).to_contain_text("composite")


def test_math_over_metrics_is_typed_as_json(console, watch):
    go(console, "alarms", "Alarms")
    console.get_by_role("button", name="Create alarm").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Alarm name").fill("console-share")
    dialog.get_by_label("Watches").select_option("math")
    dialog.get_by_label("Threshold").fill("5")
    math = dialog.get_by_label("Metrics and math (JSON)")
    right = math.input_value()
    math.fill(right + "]")
    dialog.get_by_role("button", name="Create alarm").click()
    expect(dialog.get_by_text("The math is not JSON")).to_be_visible()
    math.fill(right)
    submit(console, "Create alarm")
    expect(console.get_by_role("heading", name="console-share")).to_be_visible()
    made = described(watch, "console-share")
    assert [one["Id"] for one in made["Metrics"]] == ["errors", "calls", "share"]
