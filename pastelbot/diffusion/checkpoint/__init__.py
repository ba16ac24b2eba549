"""Checkpoints: one loaded model, from torch weights or ONNX.

`load` is what programs outside of the package load one with. It is imported when it is asked for: the networks'
libraries take seconds, and the workshop needs only the names of number formats from here.
"""


def __getattr__(name: str) -> object:
    """Return `load`; raises AttributeError for any other name."""
    if name != "load":
        raise AttributeError(name)
    from pastelbot.diffusion.checkpoint.loading import load  # slow to import

    return load
