"""Functions that take all options as one parameter and show one for each, as discord.py and typer read parameters."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

PARAMETER = "options"


def show_options(shown: Callable[..., Any], function: Callable[..., Any], annotations: Mapping[str, object]) -> None:
    """Give `shown` the signature of `function`, with parameters that may be left out in place of `options`.

    `annotations` are the parameters' types by their names. Any: what functions take and return does not matter here.
    """
    parameters = []
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if parameter.name == PARAMETER:
            parameters += [
                parameter.replace(name=name, annotation=annotation, default=None)
                for name, annotation in annotations.items()
            ]
        else:
            parameters.append(parameter)
    shown.__annotations__ = {each.name: each.annotation for each in parameters if each.annotation is not each.empty}
    shown.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # where inspect looks for it
