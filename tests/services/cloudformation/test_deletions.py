"""DeleteStack, and what stays."""

import asyncio

import pytest
from tests.services.cloudformation.stand import Stand, World, template, thing
from tests.services.cloudformation.test_stacks import in_stand, two

from cumulet.core.errors import AwsError


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
