"""The list of services. A service is in the product when it is in this list."""

from __future__ import annotations

from cumulet.kit.service import Service
from cumulet.services import (
    acm,
    apigateway,
    bedrock,
    ce,
    cloudformation,
    cloudwatch,
    cognito,
    dynamodb,
    events,
    iam,
    lambda_,
    s3,
    sns,
    sqs,
    ssm,
    xray,
)

SERVICES: tuple[Service, ...] = (
    ce.SERVICE,
    *iam.SERVICES,
    *cloudwatch.SERVICES,
    *s3.SERVICES,
    *dynamodb.SERVICES,
    sqs.SERVICE,
    sns.SERVICE,
    *events.SERVICES,
    *ssm.SERVICES,
    lambda_.SERVICE,
    acm.SERVICE,
    *cognito.SERVICES,
    *apigateway.SERVICES,
    *bedrock.SERVICES,
    xray.SERVICE,
    cloudformation.SERVICE,
)
