"""The plan and the graph: laws that hold for every template."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.kit.resources import NUMBER, TEXT, ResourceType, ResourceTypes, list_of, struct
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.planning.desired import desired_resource, needs_of
from cumulet.services.cloudformation.planning.graph import (
    ordered,
    reversed_needs,
    without_cycles,
)
from cumulet.services.cloudformation.planning.opening import open_template
from cumulet.services.cloudformation.planning.plan import (
    Standing,
    needs_replacement,
    plan_changes,
)
from cumulet.services.cloudformation.template.declaration import Template, declare
from cumulet.services.cloudformation.template.scene import Made, pseudo_parameters


async def _never(*_: Any) -> Any:
    raise AssertionError("a plan makes nothing")


THING = ResourceType(
    name="AWS::Test::Thing",
    properties=struct({"Size": NUMBER, "Kind": TEXT, "Needs": list_of(TEXT)}),
    create=_never,
    update=_never,
    delete=_never,
    replace_on=frozenset({"Kind"}),
    attributes=frozenset({"Arn"}),
)
TYPES = ResourceTypes([THING])
PSEUDO = pseudo_parameters(
    account="123456789012", region="eu-west-1", stack_id="arn:stack", stack_name="s"
)
NAMES = "ABCDEF"


@st.composite
def templates(draw: Any) -> Template:
    resources: dict[str, Any] = {}
    for index, name in enumerate(NAMES):
        if draw(st.integers(0, 3)) == 0:
            continue
        properties: dict[str, Any] = {}
        if draw(st.booleans()):
            properties["Size"] = draw(st.integers(0, 2))
        if draw(st.booleans()):
            properties["Kind"] = draw(st.sampled_from("xy"))
        earlier = [one for one in NAMES[:index] if one in resources]
        if earlier:
            needs = draw(st.lists(st.sampled_from(earlier), max_size=3))
            properties["Needs"] = [
                {"Ref": one} if draw(st.booleans()) else {"Fn::GetAtt": [one, "Arn"]}
                for one in needs
            ]
        resources[name] = {"Type": "AWS::Test::Thing", "Properties": properties}
    if not resources:
        resources["A"] = {"Type": "AWS::Test::Thing"}
    return declare({"Resources": resources})


def scene_of(template: Template) -> Any:
    return open_template(template, {}, {}, PSEUDO, TYPES)


def brought_about(template: Template, standing: dict[str, Standing]) -> dict[str, Standing]:
    """What stands when the template has been applied, by the same pure rules as the engine's."""
    scene = scene_of(template)
    now: dict[str, Standing] = {}
    made: dict[str, Made] = {}
    for name in ordered(needs_of(template, scene)):
        declared = template.resources[name]
        desired = desired_resource(declared, THING, replace(scene, made=made), {})
        old = standing.get(name)
        if old is None:
            physical = f"{name}-0"
        elif needs_replacement(old.properties, desired.properties, THING):
            physical = f"{name}-{int(old.physical_id[2:]) + 1}"
        else:
            physical = old.physical_id
        now[name] = Standing(
            name, declared.type, physical, desired.properties, {"Arn": f"arn:{physical}"}
        )
        made[name] = Made(physical, {"Arn": f"arn:{physical}"})
    return now


@settings(max_examples=120, deadline=None)
@given(templates(), templates())
def test_what_has_been_applied_needs_no_changes(old, new):
    standing = brought_about(old, {})
    assert plan_changes(old, scene_of(old), standing, TYPES, {}) == []
    standing = brought_about(new, standing)
    assert plan_changes(new, scene_of(new), standing, TYPES, {}) == []


@settings(max_examples=120, deadline=None)
@given(templates(), templates())
def test_a_plan_names_all_that_changes_and_promises_no_more(old, new):
    before = brought_about(old, {})
    after = brought_about(new, before)
    changes = {one.logical_id: one for one in plan_changes(new, scene_of(new), before, TYPES, {})}
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        change = changes.get(name)
        if was is None:
            assert change is not None
            assert change.action == "Add"
        elif now is None:
            assert change is not None
            assert change.action == "Remove"
        elif was.physical_id != now.physical_id:
            assert change is not None
            assert change.replacement in ("True", "Conditional")
        elif was.properties != now.properties:
            assert change is not None
            assert change.action == "Modify"
        if change is not None and change.replacement == "True":
            assert was is not None
            assert now is not None
            assert was.physical_id != now.physical_id
        if change is not None and change.replacement == "False":
            assert was is not None
            assert now is not None
            assert was.physical_id == now.physical_id


@settings(max_examples=80, deadline=None)
@given(templates())
def test_everything_comes_after_what_it_needs(template):
    needs = needs_of(template, scene_of(template))
    order = ordered(needs)
    assert sorted(order) == sorted(needs)
    for name, before in needs.items():
        assert all(order.index(one) < order.index(name) for one in before)
    backwards = ordered(reversed_needs(needs))
    for name, before in needs.items():
        assert all(backwards.index(one) > backwards.index(name) for one in before)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.frozensets(st.sampled_from(NAMES), max_size=4), max_size=6
    )
)
def test_any_graph_has_an_order_once_its_cycles_are_cut(needs):
    cut = without_cycles(needs)
    assert sorted(ordered(cut)) == sorted(needs)
    try:
        ordered(needs)
    except ValidationError:
        return
    assert {n: b & needs.keys() for n, b in needs.items()} == cut


def test_a_cycle_is_refused_by_the_names_in_it():
    ref = {"Ref": "B"}
    with pytest.raises(
        ValidationError, match=re.escape("Circular dependency between resources: [A, B]")
    ):
        ordered(
            needs_of(
                (
                    template := declare(
                        {
                            "Resources": {
                                "A": {"Type": "T", "Properties": {"x": ref}},
                                "B": {"Type": "T", "DependsOn": "A"},
                                "C": {"Type": "T", "DependsOn": ["A"]},
                                "D": {"Type": "T"},
                            }
                        }
                    )
                ),
                scene_of(template),
            )
        )


def test_a_resource_cannot_become_another_type():
    template = declare({"Resources": {"A": {"Type": "AWS::Test::Thing"}}})
    standing = {"A": Standing("A", "AWS::Test::Other", "a", {})}
    with pytest.raises(ValidationError, match="Update of resource type is not permitted"):
        plan_changes(template, scene_of(template), standing, TYPES, {})
