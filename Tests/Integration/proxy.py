"""A proxy between agent and store that breaks connections where a test tells it to."""

import asyncio
import os
import socket
import threading

PIECE = 1 << 16
# What a batch is told by: a call of a script; a transaction's commands, and its end, before which nothing is applied.
CALL, COMMAND, END = b"EVALSHA", b"HINCRBY", b"\r\nEXEC\r\n"


class Proxy:
    """Passes bytes between unix sockets; every fault is told by another thread.

    Once-only faults strike the next batch or the answer to it, so that they hit what must not be counted twice:

    - `cut_request(n)`: n bytes of a request still reach the store, then both sides are cut; 0 is before it reaches it.
    - `cut_reply(n)`: the store has answered, so it has applied; n bytes of the answer arrive, then both sides are cut.
    """

    def __init__(self, path, upstream):
        self.path, self.upstream = path, upstream
        # Seconds that every piece waits, either way.
        self.delay = 0.0
        # Whether new connections are ended at once.
        self.refuses = False
        # How often each once-only fault has struck.
        self.struck = {"request": 0, "reply": 0}
        self._armed = None
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        listener.listen(64)
        self._listener = listener
        self._thread.start()
        return self

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_unix_server(self._accept, sock=self._listener))
        self._loop.run_forever()

    def _tell(self, step):
        done = threading.Event()

        def call():
            step()
            done.set()

        self._loop.call_soon_threadsafe(call)
        done.wait(5)

    def cut(self):
        """Cuts every connection."""
        self._tell(self._cut)

    def _cut(self):
        for writer in list(self._writers):
            writer.transport.abort()

    def switch(self, upstream):
        """Leads to another server from now on; every connection is cut."""

        def step():
            self.upstream = upstream
            self._cut()

        self._tell(step)

    def cut_request(self, count=0):
        self._armed = ("request", count)

    def cut_reply(self, count=0):
        self._armed = ("reply", count)

    def heal(self):
        self.delay, self.refuses, self._armed = 0.0, False, None

    def stop(self):
        def step():
            self._server.close()
            self._cut()
            self._loop.call_later(0.01, self._loop.stop)

        self._tell(step)
        self._thread.join(5)
        self._loop.close()
        os.unlink(self.path)

    async def _accept(self, reader, writer):
        if self.refuses:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(self.upstream)
        except OSError:
            writer.transport.abort()
            return
        ends = [writer, up_writer]
        self._writers.update(ends)
        carries = {"request": False, "reply": False}
        try:
            await asyncio.gather(
                self._pass(reader, up_writer, "request", carries, ends),
                self._pass(up_reader, writer, "reply", carries, ends))
        finally:
            self._writers.difference_update(ends)

    async def _pass(self, reader, writer, kind, carries, ends):
        try:
            while piece := await reader.read(PIECE):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if kind == "request":
                    carries["request"] = CALL in piece or COMMAND in piece or END in piece
                    carries["reply"] |= CALL in piece or END in piece
                armed = self._armed
                if armed and armed[0] == kind and carries[kind]:
                    self._armed = None
                    self.struck[kind] += 1
                    writer.write(piece[: armed[1]])
                    break
                if kind == "reply":
                    carries["reply"] = False
                writer.write(piece)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        # What was written still goes out; then the other side learns that it is over.
        for end in ends:
            end.close()
