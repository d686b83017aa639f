"""The operations of CloudFormation, by noun."""
