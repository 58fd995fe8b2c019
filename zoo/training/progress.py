"""Lines of progress on a terminal or in a log."""

import time
from typing import Any, TextIO

import keras

from zoo.training.history import History
from zoo.training.settings import Budget

SILENCE_S = 20.0  # longest time without a line of progress where output is no terminal


class Progress(keras.callbacks.Callback):
    """One line that moves on a terminal; one line an epoch elsewhere, and more in long epochs."""

    def __init__(self, budget: Budget, history: History, stream: TextIO, keep: str) -> None:
        super().__init__()
        self.budget, self.history, self.stream, self.keep = budget, history, stream, keep
        self.live = stream.isatty()
        self.drawn = 0.0
        self.done = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self.began = self.drawn = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar, or write a line after `SILENCE_S` without one."""
        logs = logs or {}
        self.done += 1
        if self.live and time.monotonic() - self.drawn > 0.1:
            self.drawn = time.monotonic()
            bar = ("=" * (20 * (batch + 1) // self.budget.steps_per_epoch)).ljust(20, ".")
            self._print(f"[{bar}] loss {logs['loss']:.2e}", batch + 1, end="\r")
        elif not self.live and time.monotonic() - self.drawn > SILENCE_S:
            of = f"batch {batch + 1} of {self.budget.steps_per_epoch}"
            self._print(f"{of}  loss {logs['loss']:.2e}", batch + 1, end="\n")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the losses of the epoch, and whether it is the best."""
        logs = logs or {}
        if len(self.history.loss) <= epoch:  # it diverged in this one
            return
        marked = self.keep == "best" and epoch == self.history.best_epoch
        best = "  best" if marked else ""
        text = f"loss {logs['loss']:.2e}"
        if "val_loss" in logs:
            name = "validation" if self.keep == "best" else "held out"
            text += f"  {name} {logs['val_loss']:.2e}"
        self._print(text + best, self.budget.steps_per_epoch, end="\n")

    def _print(self, text: str, batches: int, end: str) -> None:
        to_do = self.budget.steps - self.epoch * self.budget.steps_per_epoch - batches
        left = round(to_do / self.done * (time.monotonic() - self.began))
        line = f"epoch {self.epoch + 1:>3}/{self.budget.epochs}  {text}"
        if to_do and self.done > 1:  # the first batch compiles
            line += f"  {left // 60}:{left % 60:02d} left"
        print(f"\x1b[2K{line}" if self.live else line, end=end, file=self.stream, flush=True)
        self.drawn = time.monotonic()
