"""The CloudFormation types of DynamoDB."""

from cumulet.services.dynamodb.resources.global_table import GLOBAL_TABLE
from cumulet.services.dynamodb.resources.table import TABLE

RESOURCES = (TABLE, GLOBAL_TABLE)
