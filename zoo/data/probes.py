"""Loading to check a stress-history model on, in and around its trained range."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Self

import numpy as np

from zoo.data.loading import AMPLITUDE, DT_RANGE, RATES, STEPS, integrate, walk

HOLD_FACTOR = 4  # short steps in a long one
QUARTERS = 20  # quarter cycles in a path of the slowest cycles: five cycles
RATE_MARGIN = 1.1  # above the fastest rate: rows that are left out of a long test have others
MIN_SIDE = 0.05  # of the amplitude: what a test goes to the other side by offset and noise
SYMMETRIC = 0.8  # of the amplitude: what both sides reach in a range that is taken as symmetric


@dataclass(frozen=True)
class TrainedRange:
    """Range of the training paths; the defaults are those of `zoo.data.loading.walk`.

    Attributes:
        steps: in a path.
        amplitude: largest strain, in size [-].
        rates: slowest and fastest strain rate [1/s].
        dt_s: shortest and longest time step [s].
        strain: lowest and highest strain, from 0 or below to 0 or above, where the range is not
            symmetric, such as that of a test in compression alone; None: ±amplitude.
        covariates: lowest and highest value of each covariate; None: there are none, or they are
            not known.
    """

    steps: int = STEPS
    amplitude: float = AMPLITUDE
    rates: tuple[float, float] = RATES
    dt_s: tuple[float, float] = DT_RANGE
    strain: tuple[float, float] | None = None
    covariates: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        low, high = self.ends
        if not (low <= 0 <= high and np.isclose(max(-low, high), self.amplitude)):
            raise ValueError(
                "A trained range must hold strain 0, and its larger end is the amplitude. "
                f"Received: strain={self.strain}, amplitude={self.amplitude}."
            )
        numbers = (self.steps, self.amplitude, *self.rates, *self.dt_s)
        ordered = self.rates[0] <= self.rates[1] and self.dt_s[0] <= self.dt_s[1]
        if not (np.isfinite(numbers).all() and min(numbers) > 0 and ordered and self.steps >= 8):
            raise ValueError(
                "A trained range must have 8 steps or more, and positive numbers, the smaller of a "
                f"pair first. Received: {asdict(self)}."
            )

    @classmethod
    def of(cls, x: np.ndarray, weight: np.ndarray | None = None) -> Self:
        """Range of training data; rates from the 5th percentile of those not zero.

        It is symmetric if both sides reach 80 % of the amplitude, and one-sided if the other side
        is below 5 % of it.

        Args:
            x: (paths, time, 3), or with covariates more.
            weight: (paths, time), 0 where a step does not count; None counts all.

        Raises:
            ValueError: the strain never changes.
        """
        counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
        strain, rate, dt, *covariates = np.asarray(x, np.float64)[counts].T
        rate = np.abs(rate)
        moving = rate[rate > 1e-6 * rate.max(initial=0.0)]
        if not len(moving):
            raise ValueError(
                "`x` must move for a range to be read off it. Received: no rate but zero."
            )
        amplitude = float(np.abs(strain).max())
        sides = -min(0.0, float(strain.min())), max(0.0, float(strain.max()))
        below, above = (side if side >= MIN_SIDE * amplitude else 0.0 for side in sides)
        return cls(
            steps=int(x.shape[1]),
            amplitude=amplitude,
            rates=(float(np.quantile(moving, 0.05)), float(moving.max())),
            dt_s=(float(dt[dt > 0].min()), float(dt.max())),
            strain=None if min(sides) >= SYMMETRIC * amplitude else (0.0 - below, above),
            covariates=tuple((float(c.min()), float(c.max())) for c in covariates) or None,
        )

    @classmethod
    def from_entry(cls, entry: dict[str, Any]) -> Self:
        """From the entry `trained_range` of a manifest.

        Raises:
            ValueError: an incomplete entry, or numbers that are no range.
        """
        try:
            strain, covariates = entry.get("strain"), entry.get("covariates")
            return cls(
                steps=int(entry["steps"]),
                amplitude=float(entry["amplitude"]),
                rates=(float(entry["rates"][0]), float(entry["rates"][1])),
                dt_s=(float(entry["dt_s"][0]), float(entry["dt_s"][1])),
                strain=(float(strain[0]), float(strain[1])) if strain else None,
                covariates=tuple((float(c[0]), float(c[1])) for c in covariates or ()) or None,
            )
        except (AttributeError, KeyError, TypeError, IndexError):
            raise ValueError(
                f"A trained range has {list(asdict(cls()))}, such as {asdict(cls())}. "
                f"Received: {entry!r}."
            ) from None

    def excess(
        self,
        x: np.ndarray,
        loading: tuple[str, str] = ("strain", "-"),
        covariates: Sequence[str] = (),
    ) -> list[str]:
        """What of a loading lies outside this range, a clause each; empty where nothing does.

        Rates below the slowest one are holds or nearly so, and are not counted.

        Args:
            x: strain [-], rate [1/s], time step [s] and covariates, (..., 3 or more).
            loading: name and unit of what is called strain here.
            covariates: their names.
        """
        strain, rate, dt, *values = np.asarray(x, np.float64).reshape(-1, x.shape[-1]).T
        name, unit = loading
        of, per = ("", "/s") if unit == "-" else (f" {unit}", f"{unit}/s")
        rate, dt = np.abs(rate), dt[dt > 0]
        margin = 1.01  # a recorded path misses its nominal amplitude by some rounding
        clauses = []
        low, high = self.ends
        sides = [(strain.max() - high, strain.max(), high), (low - strain.min(), strain.min(), low)]
        for distance, reached, end in sides if self.strain else [max(sides)]:
            if distance > (margin - 1 if end else MIN_SIDE) * self.amplitude:
                clauses.append(f"{name} to {reached:.3g}{of} (trained {self._strain}{of})")
        if rate.max(initial=0.0) > RATE_MARGIN * self.rates[1]:
            fastest = f"{self.rates[1]:.3g} {per}"
            clauses.append(f"rates to {rate.max():.3g} {per} (trained to {fastest})")
        low, high = self.dt_s
        if dt.size and dt.max() > margin * high:
            clauses.append(f"time steps to {dt.max():.3g} s (trained to {high:.3g} s)")
        if dt.size and margin * np.median(dt) < low:
            clauses.append(f"time steps of {np.median(dt):.3g} s (trained from {low:.3g} s)")
        known = zip(covariates, values, self.covariates or (), strict=False)
        for title, column, (low, high) in known:
            beyond = (margin - 1) * (high - low)
            for reached in column.min(), column.max():
                if not low - beyond <= reached <= high + beyond:
                    clauses.append(f"{title} {reached:.4g} (trained from {low:.4g} to {high:.4g})")
        return list(dict.fromkeys(clauses))

    def entry(self) -> dict[str, Any]:
        """For a manifest; without what is None."""
        entry = {name: value for name, value in asdict(self).items() if value is not None}
        return json.loads(json.dumps(entry))  # tuples as lists

    @property
    def _strain(self) -> str:
        low, high = self.ends
        return f"from {low:.3g} to {high:.3g}" if self.strain else f"within ±{self.amplitude:.3g}"

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest strain [-]."""
        return self.strain or (-self.amplitude, self.amplitude)

    def describe(self, loading: tuple[str, str] = ("strain", "-")) -> str:
        """Strain, rates, time steps and length, as a clause.

        Args:
            loading: name and unit of what the range is of.
        """
        name, unit = loading[0], "" if loading[1] == "-" else loading[1]
        (low, high), (slow, fast), (short, long) = self.ends, self.rates, self.dt_s
        ends = f"{low:g} to {high:g}" if self.strain else f"within ±{self.amplitude:g}"
        size = f"{name} {ends} {unit}".strip()
        return (
            f"{size}, rates of {slow:.3g} to {fast:.3g} {unit}/s, time steps of {short:.3g} to "
            f"{long:.3g} s, paths of {self.steps} steps"
        )

    @property
    def middle_dt_s(self) -> float:
        """Geometric mean of the time steps [s]."""
        return float(np.sqrt(np.prod(self.dt_s)))


@dataclass(frozen=True)
class Sweep:
    """Paths at several values of one quantity, the other quantities as trained.

    Attributes:
        paths: value of the quantity -> x (paths, time, 3).
        trained: range of the quantity in training.
        checked: wider range over which a model is checked.
        unit: of the quantity.
    """

    paths: Mapping[float, np.ndarray]
    trained: tuple[float, float]
    checked: tuple[float, float]
    unit: str


def walks(
    trained: TrainedRange,
    *,
    paths: int,
    seed: int,
    name: str = "walks",
    steps: int | None = None,
    amplitude: float | None = None,
    rates: tuple[float, float] | None = None,
    dt_s: tuple[float, float] | None = None,
) -> np.ndarray:
    """Random straight pieces from rest, (paths, steps, 3) float32; what is not given is as trained.

    Args:
        trained: range to take the rest from.
        paths: how many.
        seed: of the paths.
        name: of the stream of random numbers; other names give other paths.
        steps: in a path.
        amplitude: turning points are uniform within ± this, or within that part of the range.
        rates: of the pieces, log-uniform [1/s].
        dt_s: one for each path, log-uniform [s].
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    scale = (amplitude or trained.amplitude) / AMPLITUDE
    slow, fast = rates or trained.rates
    low, high = (AMPLITUDE * end / trained.amplitude for end in trained.ends)
    loading = walk(
        rng,
        paths,
        steps or trained.steps,
        dt_s or trained.dt_s,
        (slow / scale, fast / scale),
        (low, high),
    )
    return integrate(loading.rate * scale, loading.dt).x


def ramps_and_holds(
    trained: TrainedRange, *, times: int = 10, factor: int = HOLD_FACTOR
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A ramp from rest each, then a hold; 3 amplitudes × 2 rates × each side of the range.

    Args:
        trained: range that ramp and time step lie in (long steps may leave it).
        times: length of the hold in lengths of the trained paths.
        factor: short steps in a long one.

    Returns:
        x (paths, time, 3) with the hold in the shortest trained steps; x with every `factor` of
        those made one; (paths,) steps of each ramp.
    """
    dt = trained.dt_s[0]
    shares, rates = np.meshgrid(
        [0.25, 0.5, 1.0], [np.sqrt(np.prod(trained.rates)), trained.rates[1]]
    )
    low, high = trained.ends
    sides = [side for side in (high, low) if side]
    ends = np.concatenate([side * shares.ravel() for side in sides])
    rates = np.tile(rates.ravel(), len(sides))
    ramp = np.clip(np.round(np.abs(ends) / (rates * dt)), 1, trained.steps).astype(int)
    count = times * trained.steps // factor  # long steps

    def build(hold_steps: int, hold_dt: float) -> np.ndarray:
        rising = np.arange(ramp.max() + hold_steps) < ramp[:, None]
        return integrate(
            np.where(rising, (ends / (ramp * dt))[:, None], 0.0), np.where(rising, dt, hold_dt)
        ).x

    return build(count * factor, dt), build(count, factor * dt), ramp


def triangles(trained: TrainedRange) -> tuple[np.ndarray, np.ndarray]:
    """Triangular cycles, 3 amplitudes × 2 periods, turning on samples, in trained steps and rates.

    Between ± the smaller end of the range; in a range of one side between 0 and its end.

    Returns:
        x (paths, time, 3), at least five cycles of each; (paths,) steps of a cycle.
    """
    dt, low, high = trained.middle_dt_s, *trained.rates
    smaller = min(-trained.ends[0], trained.ends[1])
    is_one_sided = smaller == 0
    # strain of a quarter cycle, the largest; in a range of one side two quarters go to its end
    size = (trained.ends[0] or trained.ends[1]) / 2 if is_one_sided else smaller
    quarters = []
    for rate in (high / 2, np.sqrt(low * high)):
        quarter = round(abs(size) / (max(rate, low) * dt))
        quarters.append(int(np.clip(quarter, 4, max(4, trained.steps // 4))))
    amplitudes, quarters = (
        grid.ravel() for grid in np.meshgrid(size * np.array([0.25, 0.5, 1.0]), quarters)
    )
    step = np.arange(QUARTERS * quarters.max())
    part = step // quarters[:, None] % 4  # of the cycle: up, down, down, up; or up, up, down, down
    is_back = part >= 2 if is_one_sided else (part == 1) | (part == 2)
    sign = np.where(is_back, -1.0, 1.0)
    rate = sign * (amplitudes / (quarters * dt))[:, None]
    return integrate(rate, np.full_like(rate, dt)).x, 4 * quarters


def beyond(trained: TrainedRange, *, paths: int, seed: int) -> dict[str, Sweep]:
    """Walks in and beyond the trained range, in one quantity at a time, the others as trained.

    Length goes to 10 times the trained one, the others to 4 times, and they are checked to twice;
    rate and time step begin at 1/8. Time steps change at one duration; rates are tested at the
    middle time step.

    Args:
        trained: the range.
        paths: for each value.
        seed: of the paths.

    Returns:
        "length", "rate", "amplitude", "time step" -> paths.
    """
    (slow, fast), (short, long), middle = trained.rates, trained.dt_s, trained.middle_dt_s
    size, steps = trained.amplitude, trained.steps
    draw = partial(walks, trained, paths=paths, seed=seed)
    return {
        "length": Sweep(
            {float(n * steps): draw(steps=n * steps) for n in (1, 2, 5, 10)},
            (0.0, float(steps)),
            (0.0, 10.0 * steps),
            "steps",
        ),
        "rate": Sweep(
            {r: draw(rates=(r, r), dt_s=(middle, middle)) for r in _around(slow, fast)},
            (slow, fast),
            (slow / 8, 2 * fast),
            "1/s",
        ),
        "amplitude": Sweep(
            {size * k: draw(amplitude=size * k) for k in (0.25, 0.5, 1, 2, 4)},
            (0.0, size),
            (0.0, 2 * size),
            "-",
        ),
        "time step": Sweep(
            {
                dt: draw(dt_s=(dt, dt), steps=max(8, round(steps * middle / dt)))
                for dt in _around(short, long)
            },
            (short, long),
            (short / 8, 2 * long),
            "s",
        ),
    }


def _around(low: float, high: float) -> list[float]:
    """From an eighth of the range to four times, through its ends and middle."""
    inside = {low, float(np.sqrt(low * high)), high}
    return sorted({low / 8, low / 4, low / 2, *inside, 2 * high, 4 * high})
