"""Infotext: the text under a picture that says how it was made, in the webui's form."""

from pastelbot.infotext.fields import Infotext, quote, read_fields, unquote, with_line_breaks
from pastelbot.infotext.reader import ReadRequest, read_request, request_from_infotext
from pastelbot.infotext.webui import hires_sampler_of, parse_infotext, sampler_of
from pastelbot.infotext.writer import format_infotext

__all__ = [
    "Infotext",
    "ReadRequest",
    "format_infotext",
    "hires_sampler_of",
    "parse_infotext",
    "quote",
    "read_fields",
    "read_request",
    "request_from_infotext",
    "sampler_of",
    "unquote",
    "with_line_breaks",
]
