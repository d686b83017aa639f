from cumulet.wire.codec import write_response
from cumulet.wire.protocols.rest_xml import S3_ROOTS, s3_host_id


def test_every_named_operation_is_in_the_model(catalog):
    model = catalog.service("s3")
    assert all(model.operation(name) is not None for name in S3_ROOTS)


def test_the_operations_with_the_models_root_are_those_named(catalog):
    model = catalog.service("s3")
    without = set()
    for name in model.operation_names:
        output = model.operation(name).output
        if output is None or "payload" in output.traits:
            continue
        in_body = [one for one in output.members.values() if not one.location]
        if in_body and name not in S3_ROOTS:
            without.add(name)
    assert without == {
        "GetBucketLifecycle",
        "GetBucketNotification",
        "ListBucketIntelligentTieringConfigurations",
        "ListObjectAnnotations",
        "PutObjectAnnotation",
    }


def test_attributes_are_on_the_element(catalog):
    model = catalog.service("s3")
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": "a"}, "Permission": "READ"}
    output = {"Owner": {"ID": "a"}, "Grants": [grant]}
    response = write_response(model, model.operation("GetBucketAcl"), "rest-xml", output, "id")
    assert (
        '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
        "<ID>a</ID></Grantee>"
    ) in response.body.decode()


def test_s3_tells_two_ids(catalog):
    model = catalog.service("s3")
    response = write_response(model, model.operation("PutBucketTagging"), "rest-xml", None, "a-b")
    assert response.headers == [("x-amz-request-id", "a-b"), ("x-amz-id-2", s3_host_id("a-b"))]
