"""Alarms: metrics held against thresholds by the clock, and alarms made of alarms.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Alarms.html
"""
