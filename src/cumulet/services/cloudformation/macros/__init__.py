"""Macros: includes, loops and the serverless transform; from a template to a plain one."""
