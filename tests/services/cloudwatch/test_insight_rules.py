"""Contributor Insights: tables turn it on, CloudWatch tells who contributes most.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/contributorinsights_HowItWorks.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetInsightRuleReport.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Cloud
from tests.services.cloudwatch.conftest import eventually, refused, unique

PREFIX = "DynamoDBContributorInsights"


@pytest.fixture
def db(cloud: Cloud) -> Any:
    return cloud.client("dynamodb")


@pytest.fixture
def cloudwatch(cloud: Cloud) -> Any:
    return cloud.client("cloudwatch")


@pytest.fixture
def table(db: Any) -> Iterator[Callable[..., str]]:
    """Makes a table with the keys `p` and `s`, and an index by `g`."""
    made: list[str] = []

    def make(**more: Any) -> str:
        name = unique("insights")
        db.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": one, "AttributeType": "S"} for one in ("p", "s", "g")
            ],
            KeySchema=[
                {"AttributeName": "p", "KeyType": "HASH"},
                {"AttributeName": "s", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-g",
                    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            **more,
        )
        db.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        made.append(name)
        return name

    yield make
    for name in made:
        if name in db.list_tables()["TableNames"]:
            db.delete_table(TableName=name)


def item(p: str, s: str, g: str = "") -> dict[str, Any]:
    return {"p": {"S": p}, "s": {"S": s}, **({"g": {"S": g}} if g else {})}


def rules_of(db: Any, table: str, **index: str) -> dict[str, str]:
    """The names of the rules by their kind."""
    found = db.describe_contributor_insights(TableName=table, **index)
    names: list[str] = found["ContributorInsightsRuleList"]
    return {name.removeprefix(f"{PREFIX}-")[:3]: name for name in names}


def report(cloudwatch: Any, rule: str, **more: Any) -> Any:
    now = datetime.now(UTC)
    return cloudwatch.get_insight_rule_report(
        RuleName=rule,
        StartTime=now - timedelta(minutes=30),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        **more,
    )


def values(told: Any) -> dict[tuple[str, ...], float]:
    return {tuple(one["Keys"]): one["ApproximateAggregateValue"] for one in told["Contributors"]}


def test_the_keys_that_are_used_most_come_first(db: Any, cloudwatch: Any, table: Any) -> None:
    name = table()
    answer = db.update_contributor_insights(TableName=name, ContributorInsightsAction="ENABLE")
    assert answer["ContributorInsightsStatus"] == "ENABLING"
    assert answer["ContributorInsightsMode"] == "ACCESSED_AND_THROTTLED_KEYS"
    rules = rules_of(db, name)
    assert sorted(rules) == ["PKC", "PKT", "SKC", "SKT"]
    began = rules["PKC"].rpartition("-")[2]
    assert rules["SKT"] == f"{PREFIX}-SKT-{name}-{began}"
    for s in ("1", "2"):
        db.put_item(TableName=name, Item=item("hot", s))
    db.batch_write_item(
        RequestItems={name: [{"PutRequest": {"Item": item("cold", "1")}}]},
    )
    db.get_item(TableName=name, Key=item("hot", "1"), ConsistentRead=True)
    db.update_item(TableName=name, Key=item("hot", "2"), UpdateExpression="SET v = p")
    db.transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": item("hot", "1")}}])
    db.query(
        TableName=name,
        KeyConditionExpression="p = :p",
        ExpressionAttributeValues={":p": {"S": "hot"}},
    )
    wanted = {("hot",): 6.5, ("cold",): 1.0}
    told = eventually(
        lambda: (found := report(cloudwatch, rules["PKC"])) and values(found) == wanted and found
    )
    assert [one["Keys"] for one in told["Contributors"]] == [["hot"], ["cold"]]
    assert told["KeyLabels"] == ["PartitionKey"]
    assert told["AggregationStatistic"] == "Sum"
    assert (told["AggregateValue"], told["ApproximateUniqueCount"]) == (7.5, 2)
    [first] = report(cloudwatch, rules["PKC"], MaxContributorCount=1)["Contributors"]
    assert sum(point["ApproximateValue"] for point in first["Datapoints"]) == 6.5
    by_item = report(cloudwatch, rules["SKC"])
    assert by_item["KeyLabels"] == ["PartitionKey", "SortKey"]
    assert values(by_item) == {("hot", "1"): 4.0, ("hot", "2"): 2.0, ("cold", "1"): 1.0}
    figures = report(cloudwatch, rules["PKC"], Metrics=["UniqueContributors", "Sum", "Maximum"])
    assert sum(point["Sum"] for point in figures["MetricDatapoints"]) == 7.5
    assert max(point["Maximum"] for point in figures["MetricDatapoints"]) == 2.0
    assert report(cloudwatch, rules["PKT"])["Contributors"] == []


def test_an_index_has_rules_of_its_own(db: Any, cloudwatch: Any, table: Any) -> None:
    name = table()
    on_index = {"TableName": name, "IndexName": "by-g"}
    db.update_contributor_insights(ContributorInsightsAction="ENABLE", **on_index)
    rules = rules_of(db, name, IndexName="by-g")
    assert sorted(rules) == ["PKC", "PKT"]
    assert f"-{name}-by-g-" in rules["PKC"]
    assert rules_of(db, name) == {}
    db.put_item(TableName=name, Item=item("a", "1", "green"))
    db.put_item(TableName=name, Item=item("a", "2"))
    db.query(
        **on_index,
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": "green"}},
    )
    eventually(lambda: values(report(cloudwatch, rules["PKC"])) == {("green",): 1.5})
    listed = db.list_contributor_insights(TableName=name)["ContributorInsightsSummaries"]
    assert listed == [
        {
            **on_index,
            "ContributorInsightsStatus": "ENABLED",
            "ContributorInsightsMode": "ACCESSED_AND_THROTTLED_KEYS",
        }
    ]
    arn = db.describe_table(TableName=name)["Table"]["TableArn"]
    managed = cloudwatch.list_managed_insight_rules(ResourceARN=f"{arn}/index/by-g")
    assert {one["RuleState"]["RuleName"] for one in managed["ManagedRules"]} == set(rules.values())
    db.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
    assert not cloudwatch.list_managed_insight_rules(ResourceARN=f"{arn}/index/by-g")[
        "ManagedRules"
    ]
    assert not db.list_contributor_insights(TableName=name)["ContributorInsightsSummaries"]


def test_throttled_keys_are_counted_apart(db: Any, cloudwatch: Any, table: Any) -> None:
    name = unique("throttled")
    db.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        Tags=[{"Key": "cumulet:throttle", "Value": "true"}],
    )
    db.update_contributor_insights(
        TableName=name, ContributorInsightsAction="ENABLE", ContributorInsightsMode="THROTTLED_KEYS"
    )
    rules = rules_of(db, name)
    assert sorted(rules) == ["PKT"]
    big = {"p": {"S": "hot"}, "v": {"S": "x" * 390_000}}
    db.put_item(TableName=name, Item=big)
    code, _ = refused(db.put_item, TableName=name, Item=big)
    assert code == "ProvisionedThroughputExceededException"
    told = eventually(lambda: values(report(cloudwatch, rules["PKT"])))
    assert told[("hot",)] >= 1.0
    db.delete_table(TableName=name)
    assert refused(report, cloudwatch=cloudwatch, rule=rules["PKT"])[0] == (
        "ResourceNotFoundException"
    )


def test_rules_go_when_insights_or_tables_do(db: Any, cloudwatch: Any, table: Any) -> None:
    name = table()

    def there() -> set[str]:
        found: list[dict[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            page = cloudwatch.describe_insight_rules(MaxResults=3, **more)
            found += page["InsightRules"]
            if "NextToken" not in page:
                break
            more = {"NextToken": page["NextToken"]}
        assert all(one["ManagedRule"] and one["Schema"] for one in found)
        return {one["Name"] for one in found if name in one["Name"]}

    change = {"TableName": name, "ContributorInsightsAction": "ENABLE"}
    db.update_contributor_insights(**change)
    first = there()
    assert len(first) == 4
    db.update_contributor_insights(**change)
    assert there() == first
    db.update_contributor_insights(ContributorInsightsMode="THROTTLED_KEYS", **change)
    assert {one for one in first if "-PKT-" in one or "-SKT-" in one} == there()
    db.update_contributor_insights(TableName=name, ContributorInsightsAction="DISABLE")
    assert there() == set()
    shown = db.describe_contributor_insights(TableName=name)
    assert shown["ContributorInsightsStatus"] == "DISABLED"
    assert shown["ContributorInsightsRuleList"] == []
    assert "LastUpdateDateTime" in shown
    db.update_contributor_insights(**change)
    assert len(there()) == 4
    db.delete_table(TableName=name)
    assert there() == set()


def test_rules_are_turned_off_on_and_removed(db: Any, cloudwatch: Any, table: Any) -> None:
    name = table()
    db.update_contributor_insights(TableName=name, ContributorInsightsAction="ENABLE")
    rules = rules_of(db, name)

    def state(rule: str) -> str:
        arn = db.describe_table(TableName=name)["Table"]["TableArn"]
        found = cloudwatch.list_managed_insight_rules(ResourceARN=arn)["ManagedRules"]
        states = {one["RuleState"]["RuleName"]: one["RuleState"]["State"] for one in found}
        return str(states.get(rule))

    assert cloudwatch.disable_insight_rules(RuleNames=[rules["PKC"]])["Failures"] == []
    assert state(rules["PKC"]) == "DISABLED"
    db.put_item(TableName=name, Item=item("a", "1"))
    eventually(lambda: values(report(cloudwatch, rules["SKC"])))
    assert report(cloudwatch, rules["PKC"])["Contributors"] == []
    cloudwatch.enable_insight_rules(RuleNames=[rules["PKC"]])
    assert state(rules["PKC"]) == "ENABLED"
    [failure] = cloudwatch.delete_insight_rules(RuleNames=[rules["PKC"], "absent"])["Failures"]
    assert failure["ExceptionType"] == "ResourceNotFoundException"
    assert failure["FailureResource"].endswith(":insight-rule/absent")
    assert state(rules["PKC"]) == "None"


def test_metric_math_reads_rules(db: Any, cloudwatch: Any, table: Any) -> None:
    name = table()
    db.update_contributor_insights(TableName=name, ContributorInsightsAction="ENABLE")
    rule = rules_of(db, name)["PKC"]
    for p in ("a", "b", "b"):
        db.put_item(TableName=name, Item=item(p, "1"))

    def asked(figure: str, rule: str = rule) -> list[float]:
        now = datetime.now(UTC)
        found = cloudwatch.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "e1",
                    "Expression": f"INSIGHT_RULE_METRIC('{rule}', '{figure}') * 1",
                    "Period": 3_600,
                }
            ],
            StartTime=now - timedelta(hours=2),
            EndTime=now + timedelta(minutes=5),
        )
        told: list[float] = found["MetricDataResults"][0]["Values"]
        return told

    eventually(lambda: sum(asked("Sum")) == 3.0)
    assert max(asked("MaxContributorValue")) <= 2.0
    assert sum(asked("SampleCount")) == 3.0
    assert refused(asked, figure="Median")[0] == "ValidationError"
    assert "absent" in refused(asked, figure="Sum", rule="absent")[1]


def test_what_cannot_be_is_refused(db: Any, cloudwatch: Any, table: Any) -> None:
    name = table()
    code, words = refused(
        cloudwatch.put_insight_rule, RuleName="own", RuleDefinition='{"Schema": {}}'
    )
    assert (code, "RuleDefinition is not supported" in words) == ("InvalidParameterValue", True)
    absent = {"TableName": name, "IndexName": "absent"}
    assert refused(db.describe_contributor_insights, **absent)[0] == "ResourceNotFoundException"
    enable = {"ContributorInsightsAction": "ENABLE"}
    assert (
        refused(db.update_contributor_insights, **enable, TableName="not-there")[0]
        == "ResourceNotFoundException"
    )
    db.update_contributor_insights(TableName=name, **enable)
    rule = rules_of(db, name)["PKC"]
    for more in ({"Metrics": ["Median"]}, {"MaxContributorCount": 101}, {"OrderBy": "Least"}):
        code, _ = refused(report, cloudwatch=cloudwatch, rule=rule, **more)
        assert code == "InvalidParameterValue", more
    begin = datetime.fromtimestamp(time.time(), UTC)
    code, _ = refused(
        cloudwatch.get_insight_rule_report,
        RuleName=rule,
        StartTime=begin,
        EndTime=begin + timedelta(minutes=5),
        Period=90,
    )
    assert code == "InvalidParameterValue"
