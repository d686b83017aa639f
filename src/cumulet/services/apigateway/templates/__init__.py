"""Mapping templates: reading and rendering the Velocity language of API Gateway. Pure."""

from cumulet.services.apigateway.templates.hosts import Input, Util
from cumulet.services.apigateway.templates.jsonpath import BadPath, find
from cumulet.services.apigateway.templates.nodes import Block, TemplateError
from cumulet.services.apigateway.templates.parse import parse_template
from cumulet.services.apigateway.templates.render import render

__all__ = [
    "BadPath",
    "Block",
    "Input",
    "TemplateError",
    "Util",
    "find",
    "parse_template",
    "render",
]
