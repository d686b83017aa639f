"""Logs Insights: the language of queries, and how they are carried out.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""
