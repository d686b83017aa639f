"""Domains last: after a kill they are served as before, by the same certificate."""

from __future__ import annotations

from tests.services.apigateway.domains.conftest import Secure


def test_a_domain_with_mutual_tls_is_served_after_a_kill(new_cloud, client_authority):
    cloud = new_cloud("--tls")
    before = Secure(cloud)
    known = client_authority("known")
    s3 = before.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="trust")
    s3.put_object(Bucket="trust", Key="clients.pem", Body=known.pem)
    before.domain(
        "kept.example.com", mutualTlsAuthentication={"truststoreUri": "s3://trust/clients.pem"}
    )
    api = before.rest_api("kept")
    before.client("apigateway").create_base_path_mapping(
        domainName="kept.example.com", restApiId=api, basePath="v1", stage="prod"
    )
    shows = known.client("alice")
    first = before.get("kept.example.com", "/v1/a", shows=shows)
    serial = before.serial_of("kept.example.com", shows)
    s3.delete_object(Bucket="trust", Key="clients.pem")
    cloud.kill()
    cloud.start()
    after = Secure(cloud)
    second = after.get("kept.example.com", "/v1/a", shows=shows)
    assert (second.status, second.json) == (200, first.json)
    assert after.serial_of("kept.example.com", shows) == serial
    found = after.client("apigateway").get_base_path_mappings(domainName="kept.example.com")
    assert [one["basePath"] for one in found["items"]] == ["v1"]
