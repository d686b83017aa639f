"""The cache of a stage: what is kept, by which key, for how long, and who may ask past it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
"""

from __future__ import annotations

import json

import pytest
from tests.services.apigateway.backend.conftest import signed, unique


def patch(api, *operations):
    return api.client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[
            {"op": "replace", "path": path, "value": value} for path, value in operations
        ],
    )


def proxied(api, backend, *parts, verb="ANY", auth="NONE", **more):
    place = api.method(
        verb,
        *parts,
        auth=auth,
        requestParameters={
            "method.request.querystring.q": False,
            "method.request.header.X-Key": False,
            "method.request.path.proxy": False,
        },
    )
    api.client.put_integration(
        **place, type="HTTP_PROXY", integrationHttpMethod="ANY", uri=backend.url + "/", **more
    )


@pytest.fixture
def cached(api, backend):
    """`/{proxy+}` by nothing, `/q` by query and header, `/p/{proxy+}` by path."""
    proxied(api, backend, "{proxy+}")
    proxied(
        api,
        backend,
        "q",
        verb="GET",
        cacheKeyParameters=["method.request.querystring.q", "method.request.header.X-Key"],
    )
    proxied(api, backend, "p", "{proxy+}", cacheKeyParameters=["method.request.path.proxy"])
    api.deploy()
    patch(
        api,
        ("/cacheClusterEnabled", "true"),
        ("/cacheClusterSize", "0.5"),
        ("/*/*/caching/enabled", "true"),
        ("/*/*/caching/requireAuthorizationForCacheControl", "false"),
    )
    return api


def test_an_answer_is_kept_for_all_that_has_the_same_key(cached, backend):
    first = cached.call("GET", "/a", headers={"X-Want-Status": "404"})
    again = cached.call("GET", "/b?x=1")
    assert len(backend.seen) == 1
    assert (again.status, again.body) == (404, first.body)
    assert again.headers["X-Backend"] == "yes"
    assert again.headers["x-amzn-RequestId"] != first.headers["x-amzn-RequestId"]


def test_keys_are_made_of_the_declared_parameters(cached, backend):
    for _ in range(2):
        for query in ("?q=1", "?q=2", "?q=1&q=2", "", "?other=1"):
            cached.call("GET", f"/q{query}")
        cached.call("GET", "/q", headers={"x-key": "k"})
    assert len(backend.seen) == 5
    for _ in range(2):
        for path in ("/p/a", "/p/b", "/p/a%2fb"):
            cached.call("GET", path)
    assert len(backend.seen) == 8


def test_only_get_unless_the_method_says_so(cached, backend):
    for _ in range(2):
        cached.call("POST", "/a", body=b"x")
    assert len(backend.seen) == 2
    cached.client.put_method(
        restApiId=cached.id,
        resourceId=cached.resource("own"),
        httpMethod="POST",
        authorizationType="NONE",
    )
    cached.client.put_integration(
        restApiId=cached.id,
        resourceId=cached.resource("own"),
        httpMethod="POST",
        type="HTTP_PROXY",
        integrationHttpMethod="POST",
        uri=backend.url + "/",
    )
    cached.deploy()
    patch(cached, ("/~1own/POST/caching/enabled", "true"))
    for _ in range(2):
        cached.call("POST", "/own", body=b"x")
    assert len(backend.seen) == 3


def test_no_time_no_cache(cached, backend):
    patch(cached, ("/*/*/caching/ttlInSeconds", "0"))
    for _ in range(2):
        cached.call("GET", "/a")
    assert len(backend.seen) == 2


def test_no_cluster_no_cache(cached, backend):
    patch(cached, ("/cacheClusterEnabled", "false"))
    for _ in range(2):
        cached.call("GET", "/a")
    assert len(backend.seen) == 2


def test_the_gateways_own_refusals_are_not_kept(cached, backend):
    cut = cached.call("GET", "/a", headers={"X-Want-Cut": "1"})
    assert cut.status == 504
    assert cached.call("GET", "/a").status == 200


def test_a_client_may_ask_past_it(cached, backend):
    cached.call("GET", "/a")
    cached.call("GET", "/a", headers={"Cache-Control": "no-store, max-age=0"})
    assert len(backend.seen) == 2
    # The new answer is kept in place of the old one.
    cached.call("GET", "/a", headers={"Cache-Control": "max-age=01, no-cache"})
    assert len(backend.seen) == 2


def test_flushing_forgets_all(cached, backend):
    cached.call("GET", "/a")
    cached.client.flush_stage_cache(restApiId=cached.id, stageName="prod")
    cached.call("GET", "/a")
    cached.call("GET", "/a")
    assert len(backend.seen) == 2


def test_another_cluster_is_empty(cached, backend):
    cached.call("GET", "/a")
    patch(cached, ("/cacheClusterSize", "6.1"))
    cached.call("GET", "/a")
    patch(cached, ("/cacheClusterEnabled", "false"))
    patch(cached, ("/cacheClusterEnabled", "true"))
    cached.call("GET", "/a")
    cached.call("GET", "/a")
    assert len(backend.seen) == 3


def test_a_redeployment_keeps_it(cached, backend):
    cached.call("GET", "/a")
    cached.deploy()
    cached.call("GET", "/a")
    assert len(backend.seen) == 1


@pytest.mark.parametrize(("shares", "seen"), [("true", 1), ("false", 3)])
def test_a_canary_uses_the_stages_cache_when_it_is_told(cached, backend, shares, seen):
    cached.call("GET", "/a")
    patch(
        cached,
        ("/canarySettings/percentTraffic", "100"),
        ("/canarySettings/useStageCache", shares),
    )
    for _ in range(2):
        cached.call("GET", "/a")
    assert len(backend.seen) == seen


def test_a_namespace_is_shared_by_whom_it_is_given(api, backend):
    for part in ("one", "two"):
        proxied(api, backend, part, verb="GET", cacheNamespace="shared")
    proxied(api, backend, "three", verb="GET")
    api.deploy()
    patch(api, ("/cacheClusterEnabled", "true"), ("/*/*/caching/enabled", "true"))
    for part in ("one", "two", "three"):
        api.call("GET", f"/{part}")
    assert len(backend.seen) == 2


WARNING = "199 Cache-control headers were ignored because the caller was unauthorized"


@pytest.mark.parametrize(
    ("strategy", "status", "warning", "seen"),
    [
        ("FAIL_WITH_403", 403, None, 1),
        ("SUCCEED_WITH_RESPONSE_HEADER", 200, WARNING, 1),
        ("SUCCEED_WITHOUT_RESPONSE_HEADER", 200, None, 1),
    ],
)
def test_asking_past_it_needs_permission(cached, backend, strategy, status, warning, seen):
    patch(
        cached,
        ("/*/*/caching/requireAuthorizationForCacheControl", "true"),
        ("/*/*/caching/unauthorizedCacheControlHeaderStrategy", strategy),
    )
    cached.call("GET", "/a")
    answer = cached.call("GET", "/a", headers={"Cache-Control": "max-age=0"})
    assert (answer.status, answer.headers["Warning"]) == (status, warning)
    assert len(backend.seen) == seen


def test_who_has_the_permission_asks_past_it(cloud, api, backend):
    proxied(api, backend, verb="GET", auth="AWS_IAM")
    api.deploy()
    patch(api, ("/cacheClusterEnabled", "true"), ("/*/*/caching/enabled", "true"))
    iam = cloud.client("iam")
    name = unique("u")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    key = (made["AccessKeyId"], made["SecretAccessKey"])

    def call(*actions):
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
        }
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        headers = signed(api, key, "GET", "/")
        return api.call("GET", "/", headers={**headers, "Cache-Control": "max-age=0"})

    assert call("execute-api:Invoke").status == 200
    ignored = call("execute-api:Invoke")
    assert (ignored.headers["Warning"], len(backend.seen)) == (WARNING, 1)
    fresh = call("execute-api:Invoke", "execute-api:InvalidateCache")
    assert (fresh.headers["Warning"], len(backend.seen)) == (None, 2)
