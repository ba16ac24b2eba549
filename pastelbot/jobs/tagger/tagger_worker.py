"""The tagger's process: owns ONNX Runtime, answers one picture after the other.

It is separate from the worker, so a picture that crashes it loses no painting job. Like the worker it may be killed at
any time, and an unexpected error ends it.
"""

import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

from pastelbot.errors import RequestError, TaggerError
from pastelbot.tagging.files import TaggerOptions

Target = Callable[[Connection, TaggerOptions], None]


def main(connection: Connection, options: TaggerOptions) -> None:
    """Load the tagger and send True, then for each file that comes its Description or the error that it caused."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the bot decides
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the bot process is gone
        from pastelbot.tagging.tagger import Tagger  # only here, in the child

        try:
            tagger = Tagger.load(options)
        except TaggerError as error:
            connection.send(error)
            return
        connection.send(True)
        while True:
            content = connection.recv_bytes()
            try:
                connection.send(tagger.describe(content))
            except (RequestError, TaggerError) as error:
                connection.send(error)
