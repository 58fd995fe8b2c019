"""Mix channels to one: dead channels are left out, and of opposite ones the strongest is used."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK_S = 0.01  # samples mixed at once [s]
MEMORY_S = 0.1  # time constant of the powers that are compared [s]
DEAD_DB, ALIVE_DB = 40.0, 30.0  # below the strongest channel: it is left out, it counts again
# Power of the mean over that of as many independent channels: 1 + correlation, of two channels
OPPOSITE, ALIGNED = 0.1, 0.4

Float64Array = npt.NDArray[np.float64]


class Mix(NamedTuple):
    """How channels are mixed.

    Attributes:
        weights: (channels,), of the mean.
        note: why it is not the mean of all of them; "" if it is.
    """

    weights: tuple[float, ...]
    note: str


class ChannelMixer:
    """Mean of the channels of a stream, unless one is dead or they cancel each other.

    A channel `DEAD_DB` below the strongest one, both without their offsets, is left out of the mean
    until it is within `ALIVE_DB`. Where the mean of the others has less than `OPPOSITE` of the
    power that independent channels would leave, one of them has its poles reversed: then the
    strongest is used alone, until that share is above `ALIGNED`. Powers are of the last
    `MEMORY_S`. Blocks have a fixed place in the stream, so the result does not depend on how it
    comes; a change of the weights is a ramp over one block.

    Args:
        rate_hz: sample rate of the stream [Hz].
    """

    def __init__(self, rate_hz: int) -> None:
        self._size = max(2, round(BLOCK_S * rate_hz))
        self._share = 1.0 - float(np.exp(-self._size / (MEMORY_S * rate_hz)))
        self.reset()

    def reset(self) -> None:
        """Back to before the stream."""
        self._covariance: Float64Array | None = None
        self._rest: npt.NDArray[np.float32] | None = None
        self._dead: npt.NDArray[np.bool_] | None = None
        self._alone: int | None = None  # the channel that is used alone
        self._weights: Float64Array | None = None
        self.mix = Mix((1.0,), "")

    def process(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The mixed samples (samples,) of a block (samples, channels); of several, whole blocks.

        Raises:
            ValueError: another number of channels than before.
        """
        if x.shape[1] == 1 and self._rest is None:
            return x[:, 0]
        if self._rest is not None:
            if self._rest.shape[1] != x.shape[1]:
                raise ValueError(
                    f"Expected {self._rest.shape[1]} channels as before. Received: {x.shape[1]}."
                )
            x = np.concatenate([self._rest, x])
        whole = len(x) // self._size * self._size
        self._rest = x[whole:].copy()
        parts = [self._mix(x[k : k + self._size]) for k in range(0, whole, self._size)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def finish(self) -> npt.NDArray[np.float32]:
        """The samples of the last block, which is not whole."""
        if self._rest is None or not len(self._rest):
            return np.zeros(0, np.float32)
        rest, self._rest = self._rest, self._rest[:0]
        return self._mix(rest)

    def _mix(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        weights = self._choose(block.astype(np.float64), self._weights)
        before = weights if self._weights is None else self._weights
        self._weights = weights
        if np.array_equal(before, weights):
            return (block @ weights).astype(np.float32)
        ramp = np.arange(1, len(block) + 1)[:, None] / len(block)
        return np.sum(block * (before + ramp * (weights - before)), axis=1).astype(np.float32)

    def _choose(self, block: Float64Array, before: Float64Array | None) -> Float64Array:
        """Weights (channels,) for a block, from its covariance and those before."""
        if not np.isfinite(block).all():
            return np.full(block.shape[1], 1 / block.shape[1]) if before is None else before
        centred = block - block.mean(axis=0)
        covariance = centred.T @ centred / len(block)
        if self._covariance is not None:
            covariance = self._covariance + self._share * (covariance - self._covariance)
        self._covariance = covariance
        power: Float64Array = np.diag(covariance)
        strongest = int(power.argmax())
        dead: npt.NDArray[Any] = power < power[strongest] * 10 ** (-DEAD_DB / 10)
        if self._dead is not None:
            dead |= self._dead & (power < power[strongest] * 10 ** (-ALIVE_DB / 10))
        self._dead = dead
        used = np.flatnonzero(~dead)
        independent = float(power[used].mean()) / len(used)
        mixed = float(covariance[np.ix_(used, used)].mean())
        limit = OPPOSITE if self._alone is None else ALIGNED
        if len(used) < 2 or mixed >= limit * independent:
            self._alone = None
        elif self._alone is None or dead[self._alone]:
            self._alone = strongest
        weights = np.zeros(len(power))
        weights[used if self._alone is None else [self._alone]] = 1.0
        weights /= weights.sum()
        self.mix = Mix(tuple(weights.tolist()), self._note())
        return weights

    def _note(self) -> str:
        assert self._dead is not None
        notes: list[str] = []
        if self._dead.any():
            numbers = ", ".join(str(k + 1) for k in np.flatnonzero(self._dead))
            channels = "channels" if self._dead.sum() > 1 else "channel"
            notes.append(f"no sound in {channels} {numbers}, left out")
        if self._alone is not None:
            notes.append(f"channels cancel each other, channel {self._alone + 1} is used alone")
        return "; ".join(notes)
