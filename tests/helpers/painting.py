"""Painting one request with an engine of its own."""

from pastelbot.diffusion.engine.engine import Engine, paint_alone


def paint(checkpoint, request, on_progress=None, **engine):
    """Paint a request with an engine of its own and return the pictures; raises what a worker would report."""
    return paint_alone(Engine(checkpoint, **engine), request, on_progress).pictures
