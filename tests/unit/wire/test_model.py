def test_a_service_tells_how_it_speaks(catalog):
    model = catalog.service("cloudwatch")
    assert model.protocols == ("cbor", "json", "query")
    assert model.signing_name == "monitoring"
    assert model.target_prefix == "GraniteServiceVersion20100801"
    assert model.query_compatible
    assert model.xml_namespace == "http://monitoring.amazonaws.com/doc/2010-08-01/"


def test_an_operation_tells_its_http_form(catalog):
    operation = catalog.service("lambda").operation("DeleteFunction")
    assert (operation.method, operation.code) == ("DELETE", operation.code)
    assert operation.uri == "/2015-03-31/functions/{FunctionName}"
    assert "ResourceNotFoundException" in [shape.name for shape in operation.errors]


def test_an_operation_that_is_not_there_is_none(catalog):
    assert catalog.service("lambda").operation("Nonsense") is None
    assert "Invoke" in catalog.service("lambda").operation_names


def test_streams_are_told(catalog):
    assert catalog.service("s3").operation("PutObject").streaming_input == "Body"
    assert catalog.service("s3").operation("CreateBucket").streaming_input == ""
    invoke = catalog.service("lambda").operation("InvokeWithResponseStream")
    assert invoke.event_stream_output == "EventStream"
    assert invoke.streaming_input == ""
    model = catalog.service("bedrock-runtime")
    both = model.operation("InvokeModelWithBidirectionalStream")
    assert both.event_stream_input == "body"


def test_operations_without_signatures_are_told(catalog):
    sts = catalog.service("sts")
    assert sts.operation("AssumeRoleWithWebIdentity").takes_unsigned
    assert not sts.operation("GetCallerIdentity").takes_unsigned


def test_a_reference_adds_its_traits_to_the_shape(catalog):
    shape = catalog.service("lambda").operation("ListFunctions").input.members["MaxItems"]
    assert (shape.location, shape.wire_name("x"), shape.traits["max"]) == (
        "querystring",
        "MaxItems",
        10000,
    )


def test_a_plain_reference_shares_the_shape(catalog):
    members = catalog.service("dynamodb").operation("PutItem").input.members
    assert members["ConditionExpression"] is members["ConditionExpression"]
    value = members["Item"].value
    assert value.members["L"].member is value


def test_an_unknown_shape_is_none(catalog):
    assert catalog.service("sts").shape("Nonsense") is None
