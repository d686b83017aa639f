"""What callers must be allowed to, besides the operation: to read the trust store.

https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
"""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError


def test_a_trust_store_is_read_as_the_caller(secure, client_authority):
    s3 = secure.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="rights-trust")
    s3.put_object(Bucket="rights-trust", Key="a.pem", Body=client_authority("known").pem)
    iam = secure.client("iam")
    iam.create_user(UserName="domains")
    key = iam.create_access_key(UserName="domains")["AccessKey"]
    request = {
        "domainName": "rights.example.com",
        "regionalCertificateArn": secure.certificate("rights.example.com"),
        "endpointConfiguration": {"types": ["REGIONAL"]},
        "mutualTlsAuthentication": {"truststoreUri": "s3://rights-trust/a.pem"},
    }

    def allow(*statements: tuple[str, str]) -> None:
        listed = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements]
        document = json.dumps({"Version": "2012-10-17", "Statement": listed})
        iam.put_user_policy(UserName="domains", PolicyName="one", PolicyDocument=document)

    client = secure.client("apigateway", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    allow(("apigateway:*", "*"))
    with pytest.raises(ClientError) as caught:
        client.create_domain_name(**request)
    assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert "Unable to access truststore" in caught.value.response["Error"]["Message"]
    allow(("apigateway:*", "*"), ("s3:GetObject", "arn:aws:s3:::rights-trust/*"))
    made = client.create_domain_name(**request)
    assert made["mutualTlsAuthentication"]["truststoreUri"] == "s3://rights-trust/a.pem"
    allow(("apigateway:GET", "arn:aws:apigateway:us-east-1::/domainnames/rights.example.com"))
    assert client.get_domain_name(domainName="rights.example.com")["domainName"]
    with pytest.raises(ClientError) as caught:
        client.delete_domain_name(domainName="rights.example.com")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
