"""The CloudFormation types of Cognito."""
