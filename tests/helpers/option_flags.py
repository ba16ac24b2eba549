"""The flags of all options, as their table has them."""

from pastelbot.options.catalogue import OPTIONS

SYNTAX = tuple(flag.syntax for option in OPTIONS for flag in option.flags)
