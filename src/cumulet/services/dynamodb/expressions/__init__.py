"""Condition, update, projection and key expressions: read once, kept compiled, and evaluated. Pure.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""
