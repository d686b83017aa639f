"""Documentation parts and versions, and how documents and stages have them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-documenting-api.html
"""

from __future__ import annotations

import json

import pytest
from tests.services.apigateway.conftest import refused


def test_parts_are_made_found_changed_and_deleted(api):
    client, place = api.client, {"restApiId": api.id}
    made = client.create_documentation_part(
        **place, location={"type": "METHOD", "path": "/a"}, properties='{"summary": "A"}'
    )
    assert made["location"] == {"type": "METHOD", "path": "/a", "method": "*"}
    with refused("ConflictException"):
        client.create_documentation_part(
            **place, location={"type": "METHOD", "path": "/a", "method": "*"}, properties='{"a":1}'
        )
    client.create_documentation_part(
        **place,
        location={"type": "QUERY_PARAMETER", "path": "/a", "method": "GET", "name": "limit"},
        properties='{"description": "How many"}',
    )
    found = client.get_documentation_parts(**place, nameQuery="lim")["items"]
    assert [one["location"]["name"] for one in found] == ["limit"]
    found = client.get_documentation_parts(**place, type="METHOD", path="/a")["items"]
    assert [one["id"] for one in found] == [made["id"]]
    one = {**place, "documentationPartId": made["id"]}
    changed = client.update_documentation_part(
        **one, patchOperations=[{"op": "replace", "path": "/properties", "value": '{"b": 2}'}]
    )
    assert json.loads(changed["properties"]) == {"b": 2}
    assert client.get_documentation_part(**one)["properties"] == changed["properties"]
    client.delete_documentation_part(**one)
    with refused("NotFoundException", "Invalid Documentation part identifier specified"):
        client.get_documentation_part(**one)


@pytest.mark.parametrize(
    ("location", "properties"),
    [
        ({"type": "API", "path": "/a"}, "{}"),
        ({"type": "MODEL"}, '{"a": 1}'),
        ({"type": "METHOD", "path": "a"}, '{"a": 1}'),
        ({"type": "METHOD", "method": "FETCH"}, '{"a": 1}'),
        ({"type": "API"}, "[]"),
        ({"type": "API"}, "{}"),
        ({"type": "API"}, "no json"),
    ],
)
def test_what_is_no_documentation_is_refused(api, location, properties):
    with refused("BadRequestException"):
        api.client.create_documentation_part(
            restApiId=api.id, location=location, properties=properties
        )


def test_documentation_is_imported_merged_and_overwritten(api):
    client, place = api.client, {"restApiId": api.id}

    def body(*parts: tuple[dict, dict]) -> bytes:
        listed = [{"location": at, "properties": said} for at, said in parts]
        return json.dumps(
            {
                "openapi": "3.0.1",
                "info": {"title": "t", "version": "1"},
                "paths": {},
                "x-amazon-apigateway-documentation": {"documentationParts": listed},
            }
        ).encode()

    root, model = {"type": "API"}, {"type": "MODEL", "name": "Pet"}
    first = client.import_documentation_parts(
        **place, body=body((root, {"a": 1}), (model, {"b": 1}))
    )
    assert len(first["ids"]) == 2
    client.import_documentation_parts(**place, mode="merge", body=body((root, {"c": 2})))
    found = client.get_documentation_parts(**place, type="API")["items"][0]
    assert json.loads(found["properties"]) == {"a": 1, "c": 2}
    client.import_documentation_parts(**place, mode="overwrite", body=body((root, {"d": 3})))
    found = client.get_documentation_parts(**place)["items"]
    assert [json.loads(one["properties"]) for one in found] == [{"d": 3}]
    with refused("BadRequestException"):
        client.import_documentation_parts(**place, body=body())


def test_a_version_keeps_the_documentation_as_it_was(api):
    client, place = api.client, {"restApiId": api.id}
    api.mock("GET")
    api.deploy()
    with refused("BadRequestException"):
        client.create_documentation_version(**place, documentationVersion="0")
    part = client.create_documentation_part(
        **place, location={"type": "API"}, properties='{"said": "first"}'
    )
    version = {**place, "documentationVersion": "1"}
    made = client.create_documentation_version(**version, stageName="prod", description="one")
    assert made["version"] == "1"
    client.update_documentation_part(
        **place,
        documentationPartId=part["id"],
        patchOperations=[{"op": "replace", "path": "/properties", "value": '{"said": "second"}'}],
    )
    stage = {**place, "stageName": "prod"}
    assert client.get_stage(**stage)["documentationVersion"] == "1"
    parameters = {"extensions": "documentation"}
    exported = client.get_export(**stage, exportType="oas30", parameters=parameters)
    extension = json.load(exported["body"])["x-amazon-apigateway-documentation"]
    assert extension["version"] == "1"
    assert extension["documentationParts"][0]["properties"] == {"said": "first"}
    with refused("BadRequestException"):
        client.delete_documentation_version(**version)
    with refused("ConflictException"):
        client.create_documentation_version(**version)
    path = "/documentationVersion"
    with refused("BadRequestException", "Invalid Documentation version specified"):
        client.update_stage(
            **stage, patchOperations=[{"op": "replace", "path": path, "value": "9"}]
        )
    changed = client.update_documentation_version(
        **version, patchOperations=[{"op": "replace", "path": "/description", "value": "uno"}]
    )
    assert changed["description"] == "uno"
    assert client.get_documentation_version(**version)["description"] == "uno"
    listed = client.get_documentation_versions(**place)["items"]
    assert [one["version"] for one in listed] == ["1"]
    client.update_stage(**stage, patchOperations=[{"op": "remove", "path": path}])
    client.delete_documentation_version(**version)
    with refused("NotFoundException", "Invalid Documentation version specified"):
        client.get_documentation_version(**version)
