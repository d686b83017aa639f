"""UpdateStack: in place, by replacement, and back again."""

import asyncio
import json

import pytest
from tests.services.cloudformation.stand import Stand, World, template, thing
from tests.services.cloudformation.test_stacks import in_stand, two

from cumulet.core.errors import AwsError


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
