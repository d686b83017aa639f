"""The operations of SQS, a file for each thing that they are about."""
