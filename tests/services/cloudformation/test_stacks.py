"""CreateStack, UpdateStack, DeleteStack and what the reading operations say of them.

Statuses and reasons follow
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

import asyncio
import json
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


def test_an_update_changes_in_place_replaces_adds_and_removes():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({n: thing(Size=1) for n in "ABC"}))
        before = (await stand.call("DescribeStackResources", StackName="s"))["StackResources"]
        world.log.clear()
        after = template({"A": thing(Size=2), "B": thing(Kind="new"), "D": thing()})
        assert (await stand.update("s", after)).status == "UPDATE_COMPLETE"
        ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in before}
        assert world.log[:3] == ["update A", "create B", "create D"]
        assert set(world.log[3:]) == {f"delete {ids['B']}", f"delete {ids['C']}"}
        listed = (await stand.call("ListStackResources", StackName="s"))["StackResourceSummaries"]
        assert [one["LogicalResourceId"] for one in listed] == ["A", "B", "D"]
        assert listed[0]["PhysicalResourceId"] == ids["A"]
        assert listed[1]["PhysicalResourceId"] != ids["B"]
        assert [s for n, s, _ in await stand.events("s") if n == "s"][-3:] == [
            "UPDATE_IN_PROGRESS",
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_COMPLETE",
        ]

    in_stand(work)


def test_a_replacement_reaches_those_that_refer_to_it():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": thing(Kind="x"), "B": thing(Needs=[{"Ref": "A"}])})
        await stand.create("s", wanted)
        wanted["Resources"]["A"] = thing(Kind="y")
        await stand.update("s", wanted)
        names = {
            one["props"]["Needs"][0] for one in world.things.values() if "Needs" in one["props"]
        }
        assert names <= set(world.things)

    in_stand(work)


def test_an_update_that_changes_nothing_is_refused():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", two())
        with pytest.raises(AwsError, match=r"^No updates are to be performed\.$") as refused:
            await stand.call("UpdateStack", StackName="s", TemplateBody=two())
        assert refused.value.code == "ValidationError"
        with_output = {**two(), "Outputs": {"O": {"Value": "1"}}}
        assert (await stand.update("s", with_output)).outputs[0].value == "1"

    in_stand(work)


def test_an_update_that_fails_brings_everything_back():
    async def work(stand: Stand, world: World) -> None:
        start = template({"A": thing(Size=1), "B": thing(Kind="x"), "C": thing()})
        await stand.create("s", start)
        before = json.dumps(world.things, sort_keys=True)
        after = template(
            {
                "A": thing(Size=2),
                "B": thing(Kind="y"),
                "X": thing(Fail="create", DependsOn=["A", "B"]),
            }
        )
        stack = await stand.update("s", after)
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        assert json.dumps(world.things, sort_keys=True) == before
        own = [(s, r) for n, s, r in await stand.events("s") if n == "s"][-3:]
        assert own == [
            ("UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [X]. "),
            ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", ""),
            ("UPDATE_ROLLBACK_COMPLETE", ""),
        ]
        assert (await stand.update("s", template({"A": thing(Size=5)}))).status == "UPDATE_COMPLETE"

    in_stand(work)


def test_a_rollback_that_fails_can_be_continued_or_told_what_to_skip():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({"A": thing(Size=1), "B": thing(Size=1)}))
        world.gates["X"] = asyncio.Event()
        after = template(
            {
                "A": thing(Size=2),
                "B": thing(Size=2),
                "X": thing(Fail="create", DependsOn=["A", "B"]),
            }
        )
        answer = await stand.call("UpdateStack", StackName="s", TemplateBody=after)
        await world.begun.wait()
        world.broken = {"A", "B"}
        world.gates["X"].set()
        stack = await stand.settled(answer["StackId"])
        assert stack.status == "UPDATE_ROLLBACK_FAILED"
        with pytest.raises(AwsError, match="UPDATE_ROLLBACK_FAILED state and can not be updated"):
            await stand.call("UpdateStack", StackName="s", TemplateBody=after)
        world.broken = {"B"}
        await stand.call("ContinueUpdateRollback", StackName="s")
        assert (await stand.settled("s")).status == "UPDATE_ROLLBACK_FAILED"
        with pytest.raises(AwsError, match="You can skip only resources"):
            await stand.call("ContinueUpdateRollback", StackName="s", ResourcesToSkip=["A"])
        await stand.call("ContinueUpdateRollback", StackName="s", ResourcesToSkip=["B"])
        assert (await stand.settled("s")).status == "UPDATE_ROLLBACK_COMPLETE"
        sizes = {name.split("-")[1]: one["props"]["Size"] for name, one in world.things.items()}
        assert sizes == {"A": 1, "B": 2}

    in_stand(work)


def test_a_failed_update_can_be_left_and_rolled_back_later():
    async def work(stand: Stand, world: World) -> None:
        start = template({"A": thing(Size=1), "B": thing(Kind="x")})
        await stand.create("s", start)
        before = json.dumps(world.things, sort_keys=True)
        failing = thing(Fail="create", DependsOn=["A", "B"])
        for kind in ("y", "z"):
            after = template({"A": thing(Size=2), "B": thing(Kind=kind), "X": failing})
            stack = await stand.update("s", after, DisableRollback=True)
            assert stack.status == "UPDATE_FAILED"
        await stand.call("RollbackStack", StackName="s")
        assert (await stand.settled("s")).status == "UPDATE_ROLLBACK_COMPLETE"
        assert json.dumps(world.things, sort_keys=True) == before

    in_stand(work)


def test_an_update_can_be_cancelled():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({"A": thing(Size=1)}))
        world.gates["B"] = asyncio.Event()
        after = template({"A": thing(Size=2), "B": thing(), "C": thing(DependsOn="B")})
        answer = await stand.call("UpdateStack", StackName="s", TemplateBody=after)
        await world.begun.wait()
        await stand.call("CancelUpdateStack", StackName="s")
        world.gates["B"].set()
        stack = await stand.settled(answer["StackId"])
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        assert [one["props"] for one in world.things.values()] == [{"Size": 1}]
        assert "create C" not in world.log
        with pytest.raises(AwsError, match="CancelUpdateStack cannot be called from current"):
            await stand.call("CancelUpdateStack", StackName="s")

    in_stand(work)


def test_a_stack_that_is_being_made_can_be_deleted():
    async def work(stand: Stand, world: World) -> None:
        world.gates["A"] = asyncio.Event()
        wanted = template({"A": thing(), "B": thing(DependsOn="A")})
        answer = await stand.call("CreateStack", StackName="s", TemplateBody=wanted)
        await world.begun.wait()
        await stand.call("DeleteStack", StackName="s")
        world.gates["A"].set()
        stack = await stand.settled(answer["StackId"])
        assert stack.status == "DELETE_COMPLETE"
        assert "create B" not in world.log

    assert in_stand(work).things == {}


def test_retained_resources_stay():
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {
                "A": thing(DeletionPolicy="Retain"),
                "B": thing(Kind="x", UpdateReplacePolicy="Retain"),
                "C": thing(),
            }
        )
        await stand.create("s", wanted)
        wanted["Resources"]["B"]["Properties"]["Kind"] = "y"
        await stand.update("s", wanted)
        assert len(world.things) == 4
        stack = await stand.delete("s")
        assert stack.status == "DELETE_COMPLETE"
        assert ("A", "DELETE_SKIPPED", "") in await stand.events(stack.arn)
        assert sorted(name.split("-")[1] for name in world.things) == ["A", "B"]

    in_stand(work)


@pytest.mark.parametrize(
    ("policy", "request_", "left"),
    [
        ("Retain", {}, 1),
        ("RetainExceptOnCreate", {}, 0),
        ("Retain", {"RetainExceptOnCreate": True}, 0),
    ],
)
def test_a_failed_creation_keeps_what_is_to_be_retained(policy, request_, left):
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {"A": thing(DeletionPolicy=policy), "X": thing(Fail="create", DependsOn="A")}
        )
        stack = await stand.create("s", wanted, **request_)
        assert stack.status == "ROLLBACK_COMPLETE"

    assert len(in_stand(work).things) == left


def test_a_deletion_that_fails_goes_on_elsewhere_and_can_be_tried_again():
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {"A": thing(), "B": thing(Fail="delete", Needs=[{"Ref": "A"}]), "C": thing()}
        )
        await stand.create("s", wanted)
        stack = await stand.delete("s")
        assert stack.status == "DELETE_FAILED"
        assert stack.status_reason == "The following resource(s) failed to delete: [B]. "
        assert len(world.things) == 2
        with pytest.raises(AwsError, match="DELETE_FAILED state and can not be updated"):
            await stand.call("UpdateStack", StackName="s", TemplateBody=wanted)
        again = await stand.delete("s", RetainResources=["B"])
        assert again.status == "DELETE_COMPLETE"
        assert [name.split("-")[1] for name in world.things] == ["B"]

    in_stand(work)


def test_termination_protection_is_enforced():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", two(), EnableTerminationProtection=True)
        with pytest.raises(AwsError, match="cannot be deleted while TerminationProtection"):
            await stand.call("DeleteStack", StackName="s")
        await stand.call(
            "UpdateTerminationProtection", StackName="s", EnableTerminationProtection=False
        )
        assert (await stand.delete("s")).status == "DELETE_COMPLETE"
        await stand.call("DeleteStack", StackName="s")

    in_stand(work)


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


def test_a_stack_policy_guards_resources():
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "Update:Replace",
                "Principal": "*",
                "Resource": "LogicalResourceId/A",
            },
        ]
    }

    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({"A": thing(Kind="x")}))
        await stand.call("SetStackPolicy", StackName="s", StackPolicyBody=json.dumps(policy))
        shown = await stand.call("GetStackPolicy", StackName="s")
        assert json.loads(shown["StackPolicyBody"]) == policy
        stack = await stand.update("s", template({"A": thing(Kind="y")}))
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        reasons = [r for n, s, r in await stand.events("s") if s == "UPDATE_FAILED"]
        assert reasons == [
            "Action denied by stack policy: Statement [#2] does not allow [Update:Replace] for "
            "resource [LogicalResourceId/A]"
        ]
        fine = template({"A": thing(Kind="x", Size=3)})
        assert (await stand.update("s", fine)).status == "UPDATE_COMPLETE"
        free = json.dumps({"Statement": [policy["Statement"][0]]})
        replaced = template({"A": thing(Kind="y", Size=3)})
        stack = await stand.update("s", replaced, StackPolicyDuringUpdateBody=free)
        assert stack.status == "UPDATE_COMPLETE"

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
