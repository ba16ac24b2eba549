"""An event loop whose time passes only when nothing is left to do, and whose order one seed decides.

Callbacks that are due at once run in an order that the seed shuffles a little, as threads and sockets would shuffle
them; what a thread pool would do runs in the loop, a short virtual time later.
"""

import asyncio
import selectors


class StuckError(AssertionError):
    """Nothing is left that could ever happen, while the simulation waits for something."""


class _NoSockets(selectors.BaseSelector):
    """A selector whose files are never ready: waiting for them lets the loop's time pass."""

    def __init__(self):
        self.loop = None
        self._keys = {}

    def register(self, fileobj, events, data=None):
        self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj):
        return self._keys.pop(fileobj)

    def select(self, timeout=None):
        if timeout is None:
            raise StuckError("nothing is left that could ever happen")
        self.loop.now += max(0.0, timeout)
        return []

    def get_map(self):
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop of one life of the bot; `random` decides what real time would decide."""

    def __init__(self, random, *, now=0.0, shuffle=0.0):
        self.now = now
        self.random = random
        self.before_thread = lambda: None
        self._shuffle = shuffle
        selector = _NoSockets()
        super().__init__(selector)
        selector.loop = self

    def time(self):
        return self.now

    def call_soon(self, callback, *args, context=None):
        if self._shuffle and self.random.random() < self._shuffle:
            return self.call_later(self.random.random() * 0.003, callback, *args, context=context)
        return super().call_soon(callback, *args, context=context)

    def run_in_executor(self, _executor, func, *args):
        """Run the function in the loop, as one step, a little later: also where its waiter is gone."""
        future = self.create_future()
        self.call_later(self.random.random() * 0.02, self._run_job, future, func, args)
        return future

    def _run_job(self, future, func, args):
        try:
            self.before_thread()
            result = func(*args)
        except Exception as error:  # noqa: BLE001 - a thread pool hands every error to its waiter
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)

    def abandon(self):
        """End all tasks as the end of a process would, and close."""
        self._shuffle = 0.0
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.wait(tasks, timeout=3600))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()
