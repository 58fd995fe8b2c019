"""Peers in processes of their own, which train when they are told to."""

import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from recipes.benchmarks.lstm_training import worker
from recipes.benchmarks.lstm_training.settings import Settings

NAMES = {"torch": "torch.nn.LSTM", "jax": "keras on JAX"}


@dataclass(frozen=True)
class Duration:
    """Time of a training step.

    Attributes:
        elapsed_s: [s].
        processor_s: of all threads of its process [s].
    """

    elapsed_s: float
    processor_s: float


class Peers:
    """Processes of the peers that the settings name; ended on leaving.

    Args:
        settings: sizes, and a Python interpreter for each peer.

    Attributes:
        steps: name -> function that trains once.
    """

    def __init__(self, settings: Settings) -> None:
        self._stack = ExitStack()
        pythons = {"torch": settings.torch, "jax": settings.jax}
        self.steps = {
            NAMES[library]: partial(_step, *self._start(library, python, settings))
            for library, python in pythons.items()
            if python is not None
        }

    def _start(self, library: str, python: Path, settings: Settings) -> tuple[IO[str], IO[str]]:
        sizes = (settings.units, settings.layers, settings.batch, settings.time)
        arguments = [*sizes, settings.features, settings.threads]
        process = self._stack.enter_context(
            subprocess.Popen(
                [str(python), worker.__file__, library, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        assert process.stdin is not None and process.stdout is not None  # both are pipes
        return process.stdin, process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()  # closes their standard input, at which they end


def _step(told: IO[str], answers: IO[str]) -> Duration:
    try:
        told.write("\n")
        told.flush()
        elapsed, processor = map(float, answers.readline().split())
    except (OSError, ValueError):
        raise ValueError("Expected a Python with that library. Received: one that ended.") from None
    return Duration(elapsed, processor)
