"""A worker process of this machine: a new interpreter that answers pickled requests on its pipes.

Run as a child process, `python -m zoo.tasks.process`. It is started as a new interpreter, not
forked, so that no state of the parent reaches it and its death reaches nobody else.
"""

import contextlib
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
from typing import IO, Any

from zoo.processes import with_parent
from zoo.tasks.execution import Reply, Setting, reply_of, resolve

_LENGTH = struct.Struct("<Q")


class WorkerDied(Exception):
    """A worker ended before it replied; says how."""


class ProcessWorker:
    """A process that holds one handler and calls it with what it is sent.

    The thread that makes it must outlive it: the system ends the process with that thread.

    Args:
        factory: "package.module:name" of a function that makes the handler.
        arguments: of that function.
        setting: variables of the process, and where it finds its modules.
    """

    def __init__(self, factory: str, arguments: dict[str, Any], setting: Setting) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - until `close`
        self._process = subprocess.Popen(
            with_parent([sys.executable, "-P", "-m", "zoo.tasks.process"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={
                **os.environ,
                **setting.environment,
                "PYTHONPATH": os.pathsep.join(filter(None, setting.path)),
            },
        )
        with contextlib.suppress(WorkerDied):  # the first reply will be missing
            self.send((factory, pickle.dumps(arguments)))

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def send(self, request: Any) -> None:
        """Send a request; `receive` then waits for its reply.

        Raises:
            WorkerDied: the process has ended.
        """
        content = pickle.dumps(request, protocol=5)
        assert self._process.stdin is not None  # it is a pipe
        try:
            self._process.stdin.write(_LENGTH.pack(len(content)) + content)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerDied(self._describe_end()) from None

    def receive(self) -> Reply:
        """The reply to the oldest request without one.

        Raises:
            WorkerDied: the process ended before.
        """
        assert self._process.stdout is not None  # it is a pipe
        reply = _read(self._process.stdout)
        if reply is None:
            raise WorkerDied(self._describe_end())
        return pickle.loads(reply)

    def kill(self) -> None:
        """Kill the process; whoever waits for its reply learns that it died."""
        self._process.kill()

    def close(self) -> None:
        """End the process, whatever it does, and its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._log, self._process.stdin):
            with contextlib.suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]

    def _describe_end(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = [line for line in self._log.read().decode(errors="replace").split("\n") if line]
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        last = f": {lines[-1].strip()}" if lines and code != -signal.SIGKILL else ""
        return f"its process ended {how}{last}"


def _read(stream: IO[bytes]) -> bytes | None:
    """One message; None where the other side ended before it was whole."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(head)[0]
    content = stream.read(length)
    return content if len(content) == length else None


def _serve() -> None:
    """Answer requests of the parent until it closes the pipe."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed must not get between the replies
    first = _read(requests)
    if first is None:
        return
    factory, arguments = pickle.loads(first)
    handler = resolve(factory)(**pickle.loads(arguments))
    while (content := _read(requests)) is not None:
        request = pickle.loads(content)
        reply = pickle.dumps(reply_of(lambda request=request: handler(request)), protocol=5)
        with contextlib.suppress(BrokenPipeError):
            replies.write(_LENGTH.pack(len(reply)) + reply)
            replies.flush()


if __name__ == "__main__":
    _serve()
