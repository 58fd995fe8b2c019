"""A start from the measured past: the state before a record that did not begin at rest.

A model in closed form begins in the virgin state. A record that begins elsewhere has a given past:
rows whose response was measured. They tell a preload, a slow loading from the virgin state to the
first row that sets the friction elements, and how the response is scaled and shifted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SETTLED_S = 1e3  # a preload takes this many times the length of its path, so that branches relax
OFFSET_SHARE = 30  # the offset is the mean residual of the last thirtieth of the past

Floats = NDArray[np.floating[Any]]
Predict = Callable[[Any], Any]


def with_preload(x: Floats, preload: Floats) -> Floats:
    """Paths whose first row is reached from the virgin state by a slow loading of another size.

    Args:
        x: (loading, rate, dt, ...), (paths, time, 3 or more).
        preload: increment of the first row, (paths,).
    """
    x = np.array(x)
    seconds = SETTLED_S * x[..., 2].sum(axis=1)
    x[:, 0, 1], x[:, 0, 2] = preload / seconds, seconds
    return x


def last_rows(given: int) -> int:
    """How many rows at the end of the past the offset is measured on.

    Args:
        given: rows of the past.
    """
    return max(1, given // OFFSET_SHARE)


@dataclass(frozen=True)
class PastStart:
    """How a model of a response starts from the measured past of a record.

    Attributes:
        seconds: length of the past that it was measured with [s].
        preloads: candidates, of which the one is taken whose response to the past is nearest to
            the measured one [unit of the loading]; none: the first row says how it was reached.
        kept: share of the offset at the end of the past that stays afterwards.
        has_factor: whether the response is scaled and shifted by one factor and one offset that
            fit the past best, instead: what differs from record to record, such as a current.
        is_counted_from_first: whether the loading counts from its first row, as a position does.
    """

    seconds: float
    preloads: tuple[float, ...] = ()
    kept: float = 0.0
    has_factor: bool = False
    is_counted_from_first: bool = False

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"`seconds` must be above 0. Received: {self.seconds}.")

    def entry(self) -> dict[str, Any]:
        """As the manifest's `start_from_past` states it."""
        return {
            "seconds": self.seconds,
            "preloads": list(self.preloads),
            "kept": self.kept,
            "factor_and_offset": self.has_factor,
            "loading_from_first_row": self.is_counted_from_first,
        }

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "PastStart":
        """From the manifest's `start_from_past`.

        Raises:
            ValueError: another entry.
        """
        try:
            return cls(
                float(entry["seconds"]),
                tuple(float(each) for each in entry["preloads"]),
                float(entry["kept"]),
                bool(entry["factor_and_offset"]),
                bool(entry["loading_from_first_row"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"`start_from_past` lacks {error}, expected what an export writes. Export the "
                "model again."
            ) from None

    def rows(self, dt: Floats) -> int:
        """How many rows of a record are its past.

        Args:
            dt: steps of the record [s], (time,).
        """
        time_s = np.cumsum(np.asarray(dt, np.float64)[1:])
        return 1 + int(np.sum(time_s < self.seconds * (1 - 1e-6)))

    def respond(self, predict: Predict, x: Floats, measured: Floats, given: int) -> Floats:
        """Response at every row of records, started from their past.

        Args:
            predict: the model, (paths, time, features) -> (paths, time, 1), from rest.
            x: (loading, rate, dt, ...), (paths, time, features).
            measured: response, of which the first `given` rows are used, (paths, time).
            given: rows of the past, see `rows`.

        Returns:
            (paths, time).

        Raises:
            ValueError: a past that is longer than the record.
        """
        if not 0 < given < x.shape[1]:
            raise ValueError(
                f"A past of {given} rows leaves none of the {x.shape[1]} rows of a record. Give "
                "fewer, or a longer record."
            )
        x, past = np.array(x), np.asarray(measured, np.float64)[:, :given]
        if self.is_counted_from_first:
            x[..., 0] -= x[:, :1, 0]
        if self.preloads:
            x = with_preload(x, self._preload(predict, x, past))
        response = np.asarray(predict(x), np.float64)[..., 0]
        if self.has_factor:
            return _scaled(response, past)
        offset = (past - response[:, :given])[:, -last_rows(given) :].mean(axis=1)
        return response + self.kept * offset[:, None]

    def _preload(self, predict: Predict, x: Floats, past: Floats) -> Floats:
        """The candidate whose response to the past is nearest to the measured one, (paths,)."""
        paths, given = past.shape
        sizes = np.asarray(self.preloads)
        started = [with_preload(x, np.full(paths, size))[:, :given] for size in sizes]
        response = np.asarray(predict(np.concatenate(started)), np.float64)[..., 0]
        gaps = np.square(response.reshape(len(sizes), paths, given) - past).mean(axis=2)
        return sizes[gaps.argmin(axis=0)]


def _scaled(response: Floats, past: Floats) -> Floats:
    """Responses times the factor plus the offset that fit their past by least squares."""
    given, scaled = past.shape[1], np.empty_like(response)
    for path in range(len(response)):
        terms = np.stack([response[path], np.ones(len(response[path]))], axis=1)
        scaled[path] = terms @ np.linalg.lstsq(terms[:given], past[path], rcond=None)[0]
    return scaled
