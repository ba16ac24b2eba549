"""Comments: `#` and what follows it on a line, which the webui takes out of prompts before it paints."""

import re

_WHOLE_LINE = re.compile(r"(?:^|\n)#[^\n]*+(?:\n|$)")
_REST_OF_LINE = re.compile(r"#[^\n]*+(?:\n|$)")


def strip_comments(text: str) -> str:
    """Take the comments out of a text; each leaves a line break, as in the webui."""
    return _REST_OF_LINE.sub("\n", _WHOLE_LINE.sub("\n", text))
