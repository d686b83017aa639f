"""HTTP APIs behind custom domains, with base paths and mutual TLS.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mutual-tls.html
"""

from __future__ import annotations

import ssl

import pytest

FORBIDDEN = (403, {"message": "Forbidden"})


@pytest.fixture
def http_api(secure, backend):
    """An HTTP API whose stages `$default` and `prod` tell what they were asked."""
    v2 = secure.client("apigatewayv2")
    api = v2.create_api(Name="domains", ProtocolType="HTTP")["ApiId"]
    told = {
        "overwrite:header.x-stage": "$context.stage",
        "overwrite:header.x-path": "$context.path",
        "overwrite:header.x-route-path": "$request.path",
        "overwrite:header.x-base": "$context.customDomain.basePathMatched",
        "overwrite:header.x-domain": "$context.domainName",
        "overwrite:header.x-subject": "$context.identity.clientCert.subjectDN",
    }
    integration = v2.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri=backend.url,
        RequestParameters=told,
    )["IntegrationId"]
    v2.create_route(ApiId=api, RouteKey="GET /x/{id}", Target=f"integrations/{integration}")
    for stage in ("$default", "prod"):
        v2.create_stage(ApiId=api, StageName=stage, AutoDeploy=True)
    return api


def domain_of(secure, name: str, **more) -> str:
    secure.client("apigatewayv2").create_domain_name(
        DomainName=name,
        DomainNameConfigurations=[{"CertificateArn": secure.certificate(name)}],
        **more,
    )
    return name


def mapped(secure, domain: str, api: str, stage: str, key: str = "") -> None:
    request = {"ApiMappingKey": key} if key else {}
    secure.client("apigatewayv2").create_api_mapping(
        DomainName=domain, ApiId=api, Stage=stage, **request
    )


def test_a_base_path_leads_to_a_stage_of_an_http_api(secure, http_api):
    domain = domain_of(secure, "http.example.com")
    mapped(secure, domain, http_api, "prod", "shop/v1")
    mapped(secure, domain, http_api, "$default")
    answer = secure.get(domain, "/shop/v1/x/7")
    seen = answer.json["headers"]
    assert (seen["x-stage"], seen["x-path"]) == ("prod", "/shop/v1/x/7")
    assert (seen["x-base"], seen["x-route-path"]) == ("shop/v1", "/x/7")
    assert seen["x-domain"] == domain
    assert "apigw-requestid" in answer.headers
    plain = secure.get(domain, "/x/7").json["headers"]
    assert plain["x-stage"] == "$default"
    # A stage's name is no base path at a custom domain.
    assert secure.get(domain, "/prod/x/7").status == 404


def test_a_closed_address_is_open_by_its_domain(secure, http_api):
    domain = domain_of(secure, "closed-http.example.com")
    mapped(secure, domain, http_api, "$default")
    secure.client("apigatewayv2").update_api(ApiId=http_api, DisableExecuteApiEndpoint=True)
    own = f"{http_api}.execute-api.us-east-1.localhost"
    assert secure.get("localhost", "/x/7", host=own).status == 404
    assert secure.get(domain, "/x/7").status == 200


def test_mutual_tls_guards_http_apis(secure, http_api, client_authority):
    s3 = secure.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="http-trust")
    known, foreign = client_authority("known"), client_authority("foreign")
    s3.put_object(Bucket="http-trust", Key="store.pem", Body=known.pem)
    store = {"TruststoreUri": "s3://http-trust/store.pem"}
    name = domain_of(secure, "mutual-http.example.com", MutualTlsAuthentication=store)
    mapped(secure, name, http_api, "$default")
    answer = secure.get(name, "/x/7", shows=known.client("alice"))
    assert (answer.status, answer.json["headers"]["x-subject"]) == (200, "CN=alice")
    for shows in (None, foreign.client("mallory")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            secure.get(name, "/x/7", shows=shows)
    around = secure.get("localhost", "/x/7", host=name, shows=known.client("bob"))
    assert (around.status, around.json) == FORBIDDEN
