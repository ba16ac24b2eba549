"""Infotext: the text under a picture that says how it was made, in the webui's form."""

from pastelbot.infotext.fields import Infotext, read_fields, with_line_breaks
from pastelbot.infotext.finding import find_infotexts, refuse_infotext
from pastelbot.infotext.networks import lora_names, unknown_tags, with_embedding_renamed, with_loras_here
from pastelbot.infotext.reader import ReadRequest, completed, painted_over, read_request
from pastelbot.infotext.webui import parse_infotext
from pastelbot.infotext.writer import format_infotext

__all__ = [
    "Infotext",
    "ReadRequest",
    "completed",
    "find_infotexts",
    "format_infotext",
    "lora_names",
    "painted_over",
    "parse_infotext",
    "read_fields",
    "read_request",
    "refuse_infotext",
    "unknown_tags",
    "with_embedding_renamed",
    "with_line_breaks",
    "with_loras_here",
]
