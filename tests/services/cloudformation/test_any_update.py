"""Any stack, any update, with and without failures: the world is what the template says."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.cloudformation.stand import Stand, World, run, template, thing

NAMES = "ABCDE"


@st.composite
def resources(draw: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, name in enumerate(NAMES):
        if draw(st.integers(0, 3)) == 0:
            continue
        properties: dict[str, Any] = {"Size": draw(st.integers(0, 2))}
        if draw(st.booleans()):
            properties["Kind"] = draw(st.sampled_from("xy"))
        earlier = [one for one in NAMES[:index] if one in found]
        if earlier:
            needs = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True))
            properties["Needs"] = [{"Ref": one} for one in needs]
        found[name] = thing(**properties)
    return found or {"A": thing(Size=0)}


def expected(wanted: dict[str, Any]) -> dict[str, Any]:
    """The things by logical id, with references by logical id."""
    return {
        name: {
            **one["Properties"],
            **(
                {"Needs": sorted(ref["Ref"] for ref in one["Properties"]["Needs"])}
                if "Needs" in one["Properties"]
                else {}
            ),
        }
        for name, one in wanted.items()
    }


def actual(world: World) -> dict[str, Any]:
    logical = {name: name.split("-")[1] for name in world.things}
    assert len(set(logical.values())) == len(logical), "two things for one resource"
    return {
        logical[name]: {
            **one["props"],
            **(
                {"Needs": sorted(logical[need] for need in one["props"]["Needs"])}
                if "Needs" in one["props"]
                else {}
            ),
        }
        for name, one in world.things.items()
    }


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(resources(), st.sampled_from(("", "", "create", "half"))), max_size=4))
def test_the_world_is_what_the_last_good_template_says(steps):
    async def work() -> None:
        world = World()
        good: dict[str, Any] = {"A": thing(Size=9)}
        async with Stand(world) as stand:
            await stand.create("s", template(good))
            for wanted, failure in steps:
                before = copy.deepcopy(world.things)
                if failure:
                    last = thing(Fail=failure, DependsOn=sorted(wanted))
                    stack = await stand.update("s", template({**wanted, "Z": last}))
                    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
                    assert world.things == before
                elif wanted != good:
                    stack = await stand.update("s", template(wanted))
                    assert stack.status == "UPDATE_COMPLETE"
                    good = wanted
                assert actual(world) == expected(good)
            await stand.delete("s")
        assert world.things == {}

    run(work())
