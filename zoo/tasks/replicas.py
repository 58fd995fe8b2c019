"""Objects that live in workers and are called together, such as copies of a model in training."""

import contextlib
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.progress import say
from zoo.tasks.execution import Setting
from zoo.tasks.process import ProcessWorker, WorkerDied
from zoo.tasks.task import Workers, WorkersDied


class Replicas:
    """The same handler in each of several workers.

    A replica must reply by what it is sent alone: where one dies, a new one is made and gets the
    request again, so that the reply is the one that was lost.

        with Replicas("package.module:make", {"units": 8}, Workers(count=2)) as replicas:
            replies = replicas.call([request_0, request_1])

    Args:
        factory: "package.module:name" of a function that makes the handler, a callable of one
            argument, in the worker.
        arguments: of that function.
        workers: how many, and where; on Ray a processor is taken for each.

    Raises:
        ModuleNotFoundError: Ray is asked for and not installed.
        ConnectionError: there is no Ray at that address.
    """

    def __init__(self, factory: str, arguments: Mapping[str, Any], workers: Workers) -> None:
        self.factory, self.arguments, self.workers = factory, dict(arguments), workers
        self.deaths = 0
        self._stack = contextlib.ExitStack()
        if workers.ray is not None:
            from zoo.tasks import on_ray  # an extra

            self._stack.enter_context(on_ray.connection(workers))
        self._replicas = [self._start() for _ in range(workers.count)]

    def __enter__(self) -> "Replicas":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._replicas)

    @property
    def pids(self) -> list[int]:
        """Numbers of their processes."""
        return [replica.pid for replica in self._replicas]

    def call(self, requests: Sequence[Any]) -> list[Any]:
        """Send each replica its request and wait for all replies.

        Args:
            requests: one for each replica; they can be pickled.

        Returns:
            What the handlers returned, in the order of the requests.

        Raises:
            ValueError: a handler raised; the line says what.
            KeyboardInterrupt: Ctrl-C reached a replica.
            WorkersDied: one died more often in a row than `Workers.retries`.
        """
        died: dict[int, WorkerDied] = {}
        for number, request in enumerate(requests):
            try:
                self._replicas[number].send(request)
            except WorkerDied as error:
                died[number] = error
        return [
            self._repeat(number, request, died[number])
            if number in died
            else self._receive(number, request)
            for number, request in enumerate(requests)
        ]

    def close(self) -> None:
        """End all replicas."""
        for replica in self._replicas:
            replica.close()
        self._replicas = []
        self._stack.close()

    def _receive(self, number: int, request: Any) -> Any:
        try:
            return self._value(number)
        except WorkerDied as error:
            return self._repeat(number, request, error)

    def _repeat(self, number: int, request: Any, error: WorkerDied) -> Any:
        """Make a replica anew and send it its request again."""
        for attempt in range(1, self.workers.retries + 1):
            self.deaths += 1
            say(f"replica {number}: {error}; made anew, {attempt} of {self.workers.retries}")
            self._replicas[number].close()
            self._replicas[number] = self._start()
            try:
                self._replicas[number].send(request)
                return self._value(number)
            except WorkerDied as again:
                error = again
        raise WorkersDied(f"replica {number} died {self.workers.retries + 1} times: {error}")

    def _value(self, number: int) -> Any:
        reply = self._replicas[number].receive()
        if reply.interrupted:
            raise KeyboardInterrupt
        if reply.error:
            raise ValueError(reply.error)
        return reply.value

    def _start(self) -> Any:
        setting = Setting.here(self.workers.environment)
        if self.workers.ray is None:
            return ProcessWorker(self.factory, self.arguments, setting)
        from zoo.tasks.on_ray import RayWorker  # an extra

        return RayWorker(self.factory, pickle.dumps(self.arguments), self.workers, setting)
