"""In a child process: its end with the process that started it."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(*, platform: str = sys.platform) -> None:
    """Have this child killed when its parent ends, however it hangs.

    On Linux the kernel does it, even where this process is stopped or stuck in a library. Elsewhere a thread waits for
    the parent's end, which a process that is stopped, or that never lets go of the interpreter, does not notice.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it ended before the kernel knew
            os._exit(1)
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="pastelbot-parent", daemon=True).start()
