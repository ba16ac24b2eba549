"""Targets for a spawned child, in a module that the child can import: taggers without ONNX Runtime."""

import os
import time

from pastelbot.errors import RequestError, TaggerError
from pastelbot.records import Description


def obedient(connection, _options):
    """Rate by the first word of the file: "poison" kills, "endless" takes for ever, "bad" is no picture."""
    connection.send(True)
    while True:
        try:
            word = connection.recv_bytes().split()[0]
        except EOFError:
            return
        if word == b"poison":
            os._exit(3)
        if word == b"endless":
            time.sleep(3600)
        if word == b"bad":
            connection.send(RequestError("The picture is bad."))
        else:
            connection.send(Description(rating=word.decode(), rating_score=1.0))


def unloadable(connection, options):
    """Say why, once more in the folder of the options, and end."""
    with (options.path / "starts").open("a") as file:
        file.write("x")
    connection.send(TaggerError("The model is not there."))


def stillborn(_connection, _options):
    """Die before saying anything."""
    os._exit(4)


def slow(_connection, _options):
    """Load for ever."""
    time.sleep(3600)
