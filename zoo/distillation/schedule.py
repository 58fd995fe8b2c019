"""Training for a fixed time: a learning rate that follows the clock, weights saved on the way."""

import time
from collections.abc import Callable

import keras
import numpy as np

from zoo.progress import say


class TimeBudget(keras.callbacks.Callback):
    """Ends training after a time; the learning rate rises linearly, then falls on a cosine.

    On a slow machine the same command trains less, not longer.

    Args:
        seconds: of training.
        learning_rate: at its peak.
        save: called after every `save_s` seconds and at the end of an epoch that is the last.
        save_s: time between two calls [s].
        warmup: share of the time over which the rate rises.
        name: for lines of progress.
    """

    def __init__(
        self,
        seconds: float,
        learning_rate: float,
        save: Callable[[], None] = lambda: None,
        save_s: float = 60.0,
        warmup: float = 0.03,
        name: str = "",
    ) -> None:
        super().__init__()
        self.seconds, self.peak, self.warmup, self.name = seconds, learning_rate, warmup, name
        self.save, self.save_s = save, save_s
        self.steps, self.started, self.saved = 0, 0.0, 0.0
        self.losses: list[float] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Start the clock."""
        self.started = self.saved = time.monotonic()

    @property
    def share(self) -> float:
        """Share of the time that has passed."""
        return min(1.0, (time.monotonic() - self.started) / self.seconds)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Set the learning rate."""
        share = self.share
        rate = share / self.warmup if share < self.warmup else 1.0
        late = max(0.0, (share - self.warmup) / (1 - self.warmup))
        rate *= 0.5 * (1 + np.cos(np.pi * late))
        self.model.optimizer.learning_rate = self.peak * max(rate, 1e-3)
        self.steps += 1

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Say how far it is; save; stop when the time is over."""
        self.losses.append(float((logs or {}).get("loss", np.nan)))
        say(f"{self.name} {100 * self.share:3.0f} %, step {self.steps}, loss {self.losses[-1]:.4f}")
        is_over = self.share >= 1
        if is_over or time.monotonic() - self.saved > self.save_s:
            self.save()
            self.saved = time.monotonic()
        if is_over or not np.isfinite(self.losses[-1]):
            self.model.stop_training = True
