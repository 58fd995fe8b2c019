"""Course of a training, and how it ended."""

from dataclasses import dataclass, field

import numpy as np

DIVERGED_FACTOR = 1_000_000  # of the loss of the first batch: no training comes back from there


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during a training whose weights so far must not be used; says how to go on."""


class TrainingDiverged(ValueError):
    """The loss was not finite, or beyond all bounds; the message names the cure."""


@dataclass
class History:
    """Course of a training, one entry an epoch.

    Attributes:
        loss: of training.
        val_loss: of validation; empty where there was none.
        learning_rate: at the end of the epoch.
        seconds: since training began [s].
        ended: "complete", "interrupted", "diverged" or "no better for N epochs".
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    ended: str = "complete"

    @property
    def best_epoch(self) -> int:
        """Index of the epoch with the lowest loss, from 0.

        Raises:
            ValueError: before the end of the first epoch.
        """
        losses = self.val_loss or self.loss
        if not losses:
            raise ValueError("There is no best epoch before the end of the first one.")
        return int(np.argmin(losses))

    def require_whole(self, what: str, learning_rate: float) -> None:
        """Refuse a training that did not end as planned, whose result would not be comparable.

        Args:
            what: was trained, for the message.
            learning_rate: at its peak.

        Raises:
            TrainingDiverged: it diverged.
            TrainingInterrupted: it was interrupted.
        """
        errors = {"diverged": TrainingDiverged, "interrupted": TrainingInterrupted}
        if self.ended in errors:
            raise errors[self.ended](f"{what}: {describe_end(self, learning_rate)}")


def describe_end(history: History, learning_rate: float) -> str:
    """A sentence on a training that did not end as planned, with the cure; empty for another.

    Args:
        history: of the training.
        learning_rate: at its peak.
    """
    epoch = len(history.loss)
    if history.ended == "interrupted":
        return f"Training was interrupted after epoch {epoch}: this is no finished result."
    if history.ended == "diverged":
        return (
            f"Training diverged in epoch {epoch + 1}: the loss is no longer finite, or more than "
            f"{DIVERGED_FACTOR:,} times that of the first batch. "
            f"Lower --learning-rate (now {learning_rate:g})."
        )
    return ""
