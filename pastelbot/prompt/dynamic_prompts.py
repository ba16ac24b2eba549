"""What dynamic prompts has and Pastelbot has not: refused where it is typed, instead of painted as text."""

import re

from pastelbot.errors import PromptError, quoted

# Templates, variables, sampling marks, parameters and patterns of dynamic prompts, and counts that are none.
_UNSUPPORTED = re.compile(
    r"(?<!\\)(?:\{%|\{#(?=[^{}]{0,400}#\})|\{\{-?\s++[^\W\d]\w*+(?:[|.(\[][^{}]{0,200})?\s++-?\}\}|\{\{[-\s]*+\w{1,40}\(\s*+[\"'\[)]"
    r"|(?<!\$)\$\{\s*+\w|__[~@!]++(?:\w|\*)|\{[~@!][^\W\d_][^{}|]{0,200}(?=\|)|<\[[^\[\]<>]{0,60}\]"
    r"|[{|]\s*+-\d[\d.]{0,9}::|\{\s*+(?:[^\W\d]\w{0,20}|\d{4,20}|\d{0,9}\.\d{1,9})?\s*+\$\$"
    r"|(?<![A-Za-z0-9_])__[A-Za-z0-9][\w/.-]{0,60}\([^()]{0,200}\)__"
    r"|(?<![A-Za-z0-9_])__[\w/.-]{0,60}(?:\*[\w/.*-]{0,60}|\$?\{[^{}]{1,100}\}[\w/.-]{0,60})__)"
)


def refuse_unsupported(prompt: str) -> None:
    """Raise PromptError, with the position, for what is not supported."""
    found = _UNSUPPORTED.search(prompt)
    if found is not None:
        raise PromptError(
            f"{quoted(found[0][:40])} at character {found.start() + 1} is not supported: there are no templates, "
            "variables, parameters, patterns or sampling marks of dynamic prompts here.",
            position=found.start(),
        )
