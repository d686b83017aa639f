"""CreateStack, UpdateStack, DeleteStack and what the reading operations say of them.

Statuses and reasons follow
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

import asyncio
from typing import Any

import pytest
from tests.services.cloudformation.stand import Stand, World, run, template, thing

from cumulet.core.errors import AwsError


def in_stand(work: Any) -> World:
    """Run `work(stand, world)` in a cloud of its own."""
    world = World()

    async def go() -> None:
        async with Stand(world) as stand:
            await work(stand, world)

    run(go())
    return world


def two() -> dict[str, Any]:
    return template({"A": thing(Size="3"), "B": thing(Needs=[{"Fn::GetAtt": ["A", "Arn"]}])})


def test_a_stack_is_made_in_the_order_of_its_references():
    async def work(stand: Stand, world: World) -> None:
        stack = await stand.create("s", two())
        assert stack.status == "CREATE_COMPLETE"
        assert world.log == ["create A", "create B"]
        assert await stand.events("s") == [
            ("s", "CREATE_IN_PROGRESS", "User Initiated"),
            ("A", "CREATE_IN_PROGRESS", ""),
            ("A", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
            ("A", "CREATE_COMPLETE", ""),
            ("B", "CREATE_IN_PROGRESS", ""),
            ("B", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
            ("B", "CREATE_COMPLETE", ""),
            ("s", "CREATE_COMPLETE", ""),
        ]
        # "3" in the template is the number that the type says.
        assert {one["props"].get("Size") for one in world.things.values()} == {3, None}

    in_stand(work)


def test_what_does_not_depend_on_each_other_is_made_at_once_within_a_bound():
    async def work(stand: Stand, world: World) -> None:
        resources = {f"T{n}": thing(Size=n) for n in range(30)}
        world.gates = {name: asyncio.Event() for name in list(resources)[:8]}
        answer = await stand.call("CreateStack", StackName="s", TemplateBody=template(resources))
        await world.begun.wait()
        for gate in world.gates.values():
            gate.set()
        assert (await stand.settled(answer["StackId"])).status == "CREATE_COMPLETE"
        assert 2 <= world.most_at_once <= 8

    in_stand(work)


def test_a_creation_that_fails_takes_everything_away():
    async def work(stand: Stand, world: World) -> None:
        wanted = two()
        wanted["Resources"]["X"] = thing(Fail="create", DependsOn="B")
        stack = await stand.create("s", wanted)
        assert stack.status == "ROLLBACK_COMPLETE"
        events = await stand.events("s")
        reason = next(reason for name, status, reason in events if status == "CREATE_FAILED")
        assert 'Resource handler returned message: "X cannot be made" (RequestToken: ' in reason
        assert "HandlerErrorCode: InvalidRequest)" in reason
        assert (
            "s",
            "ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to create: [X]. Rollback requested by user.",
        ) in events
        with pytest.raises(AwsError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
            await stand.call("UpdateStack", StackName="s", TemplateBody=two())

    assert in_stand(work).things == {}


def test_what_failed_half_way_is_deleted_too():
    async def work(stand: Stand, world: World) -> None:
        stack = await stand.create("s", template({"A": thing(Fail="half")}))
        assert stack.status == "ROLLBACK_COMPLETE"
        assert world.log[0] == "create A"

    assert in_stand(work).things == {}


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (thing(Colour="red"), "Encountered unsupported property Colour"),
        (thing(Tags=[{"Key": "a", "Valu": "b"}]), "Encountered unsupported property Tags.0.Valu"),
        (thing(Size="many"), "Value of property Size must be of type Number"),
        (thing(Needs="x"), "Value of property Needs must be of type List"),
        (
            {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": "x"}},
            "Property Timeout cannot be empty.",
        ),
    ],
)
def test_a_wrong_property_fails_its_resource_before_anything_is_made(resource, reason):
    async def work(stand: Stand, world: World) -> None:
        wanted = two()
        wanted["Resources"]["X"] = resource
        stack = await stand.create("s", wanted)
        assert stack.status == "ROLLBACK_COMPLETE"
        assert ("X", "CREATE_FAILED", reason) in await stand.events("s")
        assert world.log == []

    in_stand(work)


def test_an_unknown_type_is_refused_by_name():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": {"Type": "AWS::Mars::Rover"}, "B": thing()})
        with pytest.raises(AwsError, match=r"Unrecognized resource types: \[AWS::Mars::Rover\]"):
            await stand.call("CreateStack", StackName="s", TemplateBody=wanted)
        assert (await stand.call("ListStacks"))["StackSummaries"] == []

    in_stand(work)


def test_a_creation_that_fails_can_be_left_as_it_is_and_mended():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": thing(), "X": thing(Fail="create", DependsOn="A")})
        stack = await stand.create("s", wanted, OnFailure="DO_NOTHING")
        assert stack.status == "CREATE_FAILED"
        assert len(world.things) == 1
        wanted["Resources"]["X"] = thing(Size=1, DependsOn="A")
        assert (await stand.update("s", wanted)).status == "UPDATE_COMPLETE"
        assert world.log == ["create A", "create X"]

    in_stand(work)


def test_a_creation_that_fails_can_delete_the_stack():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": thing(), "X": thing(Fail="create", DependsOn="A")})
        stack = await stand.create("s", wanted, OnFailure="DELETE")
        assert stack.status == "DELETE_COMPLETE"
        with pytest.raises(AwsError, match="Stack with id s does not exist"):
            await stand.call("DescribeStacks", StackName="s")
        shown = await stand.call("DescribeStacks", StackName=stack.arn)
        assert shown["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"

    assert in_stand(work).things == {}


def test_a_client_token_makes_a_request_the_same_request():
    async def work(stand: Stand, world: World) -> None:
        request = {"StackName": "s", "TemplateBody": two(), "ClientRequestToken": "once"}
        first = await stand.call("CreateStack", **request)
        again = await stand.call("CreateStack", **request)
        assert first["StackId"] == again["StackId"]
        await stand.settled("s")
        with pytest.raises(AwsError, match=r"Stack \[s\] already exists") as refused:
            await stand.call("CreateStack", StackName="s", TemplateBody=two())
        assert refused.value.code == "AlreadyExistsException"
        with pytest.raises(AwsError) as refused:
            await stand.call("DeleteStack", StackName="s", ClientRequestToken="once")
        assert refused.value.code == "TokenAlreadyExistsException"

    in_stand(work)


def test_stack_tags_reach_resources_that_take_tags():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": thing(Tags=[{"Key": "own", "Value": "1"}])})
        tags = [{"Key": "own", "Value": "2"}, {"Key": "team", "Value": "blue"}]
        await stand.create("s", wanted, Tags=tags)
        (one,) = world.things.values()
        assert one["props"]["Tags"] == [
            {"Key": "own", "Value": "1"},
            {"Key": "team", "Value": "blue"},
        ]

    in_stand(work)


def test_pages_of_events_are_complete():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({f"T{n:02}": thing() for n in range(60)}))
        found: list[Any] = []
        token: dict[str, str] = {}
        while True:
            page = await stand.call("DescribeStackEvents", StackName="s", **token)
            found.extend(page["StackEvents"])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert len(found) == 2 + 60 * 3
        assert len({one["EventId"] for one in found}) == len(found)

    in_stand(work)


def test_a_physical_id_leads_to_its_stack():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({"A": thing(Name="the-a")}))
        shown = await stand.call("DescribeStackResources", PhysicalResourceId="the-a")
        assert shown["StackResources"][0]["StackName"] == "s"
        detail = await stand.call("DescribeStackResource", StackName="s", LogicalResourceId="A")
        assert detail["StackResourceDetail"]["PhysicalResourceId"] == "the-a"
        with pytest.raises(AwsError, match="Resource Z does not exist for stack s"):
            await stand.call("DescribeStackResource", StackName="s", LogicalResourceId="Z")

    in_stand(work)


def test_what_would_be_ignored_is_refused():
    async def work(stand: Stand, world: World) -> None:
        for more in (
            {"NotificationARNs": ["arn:aws:sns:eu-west-1:123456789012:topic"]},
            {"RollbackConfiguration": {"RollbackTriggers": [{"Arn": "x", "Type": "y"}]}},
        ):
            with pytest.raises(AwsError, match="not supported"):
                await stand.call("CreateStack", StackName="s", TemplateBody=two(), **more)
        await stand.create("s", two(), NotificationARNs=[], RollbackConfiguration={})

    in_stand(work)
