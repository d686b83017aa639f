"""The one path: what is asked first, what is hidden, and what is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kit.stand import ACCOUNT, ROOT, USER, Stand, operation

from cumulet.core.context import Context
from cumulet.core.errors import (
    AccessDenied,
    AwsError,
    ConstraintViolation,
    InternalFailure,
    MissingAuthentication,
    OperationNotImplemented,
    ServiceUnavailable,
    UnknownOperation,
)
from cumulet.core.identity import ANONYMOUS, Scope
from cumulet.kit.policy import IdentityPolicies, parse_policy
from cumulet.kit.service import Operation, OwnedPolicies
from cumulet.kv.contract import Unavailable

Make = Callable[..., Stand]


@pytest.fixture
def stand(tmp_path: Path) -> Make:
    return lambda *operations: Stand(tmp_path, *operations)


def may(*actions: str) -> IdentityPolicies:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return IdentityPolicies(identity=(parse_policy("p", text),))


def never(ctx: Context, request: Any) -> Any:
    raise AssertionError("this must not run")


def echo(ctx: Context, request: Any) -> Any:
    return request


def test_an_operation_that_aws_does_not_have_is_unknown(stand: Make) -> None:
    with pytest.raises(UnknownOperation):
        asyncio.run(stand().run("ListPlanets", {}))


def test_an_operation_that_we_do_not_have_says_so_before_anything_else(stand: Make) -> None:
    with pytest.raises(OperationNotImplemented, match="GetUser operation of iam"):
        asyncio.run(stand().run("GetUser", {"UserName": "not a name!"}, ANONYMOUS))


def test_constraints_come_before_permission(stand: Make) -> None:
    one = stand(operation("CreateUser", never))
    with pytest.raises(ConstraintViolation, match="userName"):
        asyncio.run(one.run("CreateUser", {"UserName": "no/slashes"}))
    assert one.held.asked == 0


def test_permission_comes_before_the_operation(stand: Make) -> None:
    one = stand(operation("CreateUser", never))
    with pytest.raises(AccessDenied) as refused:
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    assert refused.value.message == (
        f"User: {USER.arn} is not authorized to perform: iam:CreateUser on resource: * "
        "because no identity-based policy allows the iam:CreateUser action"
    )


def test_what_is_allowed_runs_and_its_decision_is_in_the_trace(stand: Make) -> None:
    one = stand(operation("CreateUser", echo))
    one.held.policies = may("iam:CreateUser")
    ctx = one.context()
    answer = asyncio.run(one.dispatcher.run(ctx, "iam", "CreateUser", {"UserName": "eve"}))
    assert answer == {"UserName": "eve"}
    assert ctx.trace.fields["iam_effect"] == "allow"
    assert ctx.trace.fields["iam_policies"] == ("p",)
    assert [span[0] for span in ctx.trace.spans] == ["iam.CreateUser"]


def test_every_action_and_every_resource_is_asked_for(stand: Make) -> None:
    both = operation("CreateUser", echo, action=("CreateUser", "s3:PutObject"))
    one = stand(both)
    one.held.policies = may("iam:CreateUser")
    with pytest.raises(AccessDenied, match="s3:PutObject"):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    one.held.policies = may("iam:CreateUser", "s3:PutObject")
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}))


def test_names_may_come_from_the_request_and_from_the_store(stand: Make) -> None:
    async def arn(ctx: Context, request: Any) -> str:
        return f"arn:aws:iam::{ACCOUNT}:user/{request['UserName']}"

    one = stand(operation("CreateUser", never, resource=arn))
    with pytest.raises(AccessDenied, match=f"arn:aws:iam::{ACCOUNT}:user/eve"):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))


def test_root_needs_no_policy(stand: Make) -> None:
    one = stand(operation("CreateUser", echo))
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}, ROOT)) == {"UserName": "eve"}


def test_a_deny_of_the_resource_binds_even_root(stand: Make) -> None:
    async def closed(ctx: Context, request: Any) -> OwnedPolicies:
        statement = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        return OwnedPolicies(ACCOUNT, (parse_policy("resource", text),))

    one = stand(operation("CreateUser", never, resource_policy=closed))
    with pytest.raises(AccessDenied, match="explicit deny"):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}, ROOT))


@pytest.mark.parametrize(("owner", "is_let_in"), [(ACCOUNT, True), ("222222222222", False)])
def test_root_goes_past_allowing_policies_of_its_own_account_only(
    stand: Make, owner: str, is_let_in: bool
) -> None:
    async def shared(ctx: Context, request: Any) -> OwnedPolicies:
        statement = {"Effect": "Allow", "Principal": "*", "Action": "iam:GetUser", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        return OwnedPolicies(owner, (parse_policy("resource", text),))

    one = stand(operation("CreateUser", echo, resource_policy=shared))
    work = one.run("CreateUser", {"UserName": "eve"}, ROOT)
    if is_let_in:
        assert asyncio.run(work) == {"UserName": "eve"}
        return
    with pytest.raises(AccessDenied, match="no resource-based policy allows"):
        asyncio.run(work)


def test_nobody_is_asked_for_a_signature(stand: Make) -> None:
    one = stand(operation("CreateUser", never))
    with pytest.raises(MissingAuthentication):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}, ANONYMOUS))


def test_an_open_operation_needs_no_permission(stand: Make) -> None:
    one = stand(operation("CreateUser", echo, access="open"))
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    assert one.held.asked == 0
    with pytest.raises(MissingAuthentication):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}, ANONYMOUS))


def test_a_failure_of_ours_hides_its_cause_and_logs_it_once(
    stand: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(ctx: Context, request: Any) -> Any:
        raise KeyError("the inner secret")

    one = stand(operation("CreateUser", fail, access="open"))
    with pytest.raises(InternalFailure) as told:
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    assert "secret" not in told.value.message
    [record] = caplog.records
    assert "request_id=id-1" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


def test_a_store_that_cannot_answer_is_the_services_unavailability(
    stand: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(ctx: Context, request: Any) -> Any:
        raise Unavailable("the disk is full")

    one = stand(operation("CreateUser", fail, access="open"))
    with pytest.raises(ServiceUnavailable) as told:
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    assert "disk" not in told.value.message
    assert len(caplog.records) == 1


def test_an_error_in_awss_words_passes_as_it_is(
    stand: Make, caplog: pytest.LogCaptureFixture
) -> None:
    said = AwsError("exists", code="EntityAlreadyExists")

    def refuse(ctx: Context, request: Any) -> Any:
        raise said

    one = stand(operation("CreateUser", refuse, access="open"))
    with pytest.raises(AwsError) as told:
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    assert told.value is said
    assert not caplog.records


def test_a_call_between_operations_takes_the_same_path_as_the_same_caller(stand: Make) -> None:
    async def outer(ctx: Context, request: Any) -> Any:
        return await ctx.call("iam", "GetUser", UserName="eve")

    inner = operation("GetUser", lambda ctx, request: ctx.caller.arn)
    one = stand(Operation("CreateUser", outer, access="open"), inner)
    with pytest.raises(AccessDenied, match="iam:GetUser"):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    one.held.policies = may("iam:GetUser")
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"})) == USER.arn


def test_a_further_permission_is_asked_with_its_condition_keys(stand: Make) -> None:
    async def pass_role(ctx: Context, request: Any) -> Any:
        await ctx.authorize("iam:PassRole", "arn:role", iam_PassedToService="lambda.amazonaws.com")

    one = stand(Operation("CreateUser", pass_role, access="open"))
    statement = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}},
    }

    def hold() -> None:
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        one.held.policies = IdentityPolicies(identity=(parse_policy("p", text),))

    hold()
    with pytest.raises(AccessDenied, match="iam:PassRole"):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    statement["Condition"] = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    hold()
    asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    asyncio.run(one.run("CreateUser", {"UserName": "eve"}, ROOT))


def test_a_context_is_whole_and_may_act_as_another(stand: Make) -> None:
    one = stand()
    ctx = one.context()
    assert (ctx.scope.account, ctx.request_id, ctx.endpoint) == (ACCOUNT, "id-1", "http://here")
    other = ctx.acting_as(ROOT, region="eu-west-1")
    assert other.scope == Scope(ACCOUNT, "eu-west-1")
    assert other.request_id == ctx.request_id
    assert ctx.caller is USER
    assert one.dispatcher.context(ctx.scope, USER).request_id != ""


def test_a_context_runs_work_in_one_transaction_of_its_scope(stand: Make) -> None:
    async def work(tx: Any, scope: Scope, value: bytes) -> str:
        tx.set(b"k", value)
        return scope.account

    async def scenario() -> bytes | None:
        one = stand()
        assert await one.context().transact(work, b"v") == ACCOUNT
        return await one.store.transact(lambda tx: tx.get(b"k"))

    assert asyncio.run(scenario()) == b"v"


def test_a_part_that_was_never_provided_is_a_mistake_of_the_composition(stand: Make) -> None:
    with pytest.raises(KeyError):
        stand().context().need(dict)
