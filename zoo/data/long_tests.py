"""Long measured tests: fewer rows where nothing is lost, and windows to train a network on."""

from dataclasses import dataclass, replace

import numpy as np

from zoo.data.split import Split

MAX_ROWS = 5000  # of a specimen; more are thinned out as far as the tolerances allow
MIN_SPECIMENS = 10  # that laws are compared on, of many
WINDOW_ABOVE = 2000  # rows of a specimen beyond which a network is trained on windows
WINDOW, WARMUP = 400, 100  # rows of a window; the first ones of it do not count
# Between kept rows strain and stress are interpolated: the largest error of the strain over its
# range, and the RMS error of the stress over its RMS.
STRAIN_TOLERANCE, STRESS_TOLERANCE = 0.01, 0.02


@dataclass(frozen=True)
class Thinned:
    """A test of fewer rows.

    Attributes:
        data: the test.
        every: which rows are kept, every `every`-th; 1: all of them.
        sentence: what was done and what it costs; empty where nothing was.
    """

    data: Split
    every: int
    sentence: str


def thin_out(data: Split, max_rows: int = MAX_ROWS) -> Thinned:
    """Keep every k-th row of tests of more than `max_rows` rows, if the rest is interpolated well.

    k is the number that leaves `max_rows`, halved until linear interpolation between the kept rows
    is off by at most `STRAIN_TOLERANCE` and `STRESS_TOLERANCE`.

    Args:
        data: a measured test, padded at the end with weight 0.
        max_rows: of the longest specimen.
    """
    lengths = _lengths(data)
    longest = int(lengths.max())
    if longest <= max_rows:
        return Thinned(data, 1, "")
    every = -(-longest // max_rows)
    errors = _errors(data, lengths, every)
    while every > 1 and (errors[0] > STRAIN_TOLERANCE or errors[1] > STRESS_TOLERANCE):
        every = every // 2
        errors = _errors(data, lengths, every)
    if every == 1:
        return Thinned(
            data,
            1,
            f"{longest:,} rows, all kept: between every second row strain or stress would be lost",
        )
    thinned = _keep(data, lengths, every)
    sentence = (
        f"{longest:,} rows, every {_ordinal(every)} kept ({thinned.x.shape[1]:,}): interpolated "
        f"between them, strain is off by at most {errors[0]:.2g} of its range and stress by "
        f"{errors[1]:.2g} of its RMS"
    )
    return Thinned(replace(thinned, notes=(*data.notes, sentence)), every, sentence)


def cut_windows(data: Split, length: int = WINDOW, warmup: int = WARMUP) -> Split:
    """Windows of long sequences, each behind `warmup` rows of weight 0, in which memory builds up.

    A window begins in the middle of a history with states of zero; what the model remembers of the
    time before must fade within the warm-up. The first window of a path begins where the path does,
    and counts from there.

    Args:
        data: sequences, weight 0 where a row does not count.
        length: rows of a window.
        warmup: rows of it that do not count.

    Returns:
        Split of windows that count somewhere, (windows, length, ...).
    """
    weight = np.ones(data.x.shape[:2], np.float32) if data.weight is None else data.weight
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, str]] = []
    for path, end in enumerate(_lengths(data)):
        for start in range(0, max(1, int(end) - warmup), length - warmup):
            rows = np.minimum(np.arange(start, start + length), end - 1)
            counts = weight[path, rows] * (np.arange(start, start + length) < end)
            if start:
                counts[:warmup] = 0.0
            if counts.any():
                parts.append((data.x[path, rows], data.y[path, rows], counts, data.groups[path]))
    x, y, weights, groups = (np.stack(each) for each in zip(*parts, strict=True))
    return replace(data, x=x, y=y, weight=weights.astype(np.float32), groups=groups)


def fewer_specimens(data: Split, samples: int, least: int = MIN_SPECIMENS) -> Thinned:
    """Some of many specimens, spread evenly over their order.

    Args:
        data: measured tests.
        samples: that are enough; specimens are left out beyond that.
        least: specimens that are kept in any case.
    """
    labels = list(dict.fromkeys(data.groups.tolist()))
    total = int(_lengths(data).sum())
    count = max(least, int(len(labels) * samples / total))
    if total <= samples or count >= len(labels):
        return Thinned(data, 1, "")
    places = np.linspace(0, len(labels) - 1, count).round().astype(int)
    kept = np.isin(data.groups, [labels[k] for k in places])
    return Thinned(
        data.select(np.flatnonzero(kept)), 1, f"{count} of {len(labels)} specimens, spread evenly"
    )


def _ordinal(number: int) -> str:
    """Such as 2nd, 11th, 23rd."""
    endings = {1: "st", 2: "nd", 3: "rd"} if number % 100 not in (11, 12, 13) else {}
    return f"{number}{endings.get(number % 10, 'th')}"


def _lengths(data: Split) -> np.ndarray:
    """Rows of each path up to its last one that counts, (paths,)."""
    paths, steps = data.x.shape[:2]
    if data.weight is None:
        return np.full(paths, steps)
    return steps - np.argmax(data.weight[:, ::-1] > 0, axis=1)


def cut_start(data: Split, rows: int) -> Thinned:
    """The first rows of longer tests that cannot be thinned out.

    Args:
        data: a measured test, padded at the end with weight 0.
        rows: that count, of each specimen.
    """
    counted = np.ones(data.x.shape[:2], bool) if data.weight is None else data.weight > 0
    longest = int(counted.sum(axis=1).max())
    if longest <= rows:
        return Thinned(data, 1, "")
    end = int(np.argmax(counted, axis=1).max()) + rows
    weight = None if data.weight is None else data.weight[:, :end]
    part = replace(data, x=data.x[:, :end], y=data.y[:, :end], weight=weight)
    share = float(np.ptp(part.x[..., 0]) / np.ptp(data.x[..., 0]))
    sentence = (
        f"the first {rows:,} of {longest:,} rows, which cover {100 * share:.0f} % of the range of "
        f"the {data.inputs[0].name}"
    )
    return Thinned(part, 1, sentence)


def _kept_rows(length: int, every: int) -> np.ndarray:
    return np.unique(np.append(np.arange(0, length, every), length - 1))


def _errors(data: Split, lengths: np.ndarray, every: int) -> tuple[float, float]:
    """Largest error of strain over its range, RMS error of stress over its RMS, of any path."""
    worst = [0.0, 0.0]
    for path, length in enumerate(lengths):
        rows, kept = np.arange(length), _kept_rows(length, every)
        time = np.cumsum(data.x[path, :length, 2], dtype=np.float64)
        strain, stress = (
            values[path, rows, 0].astype(np.float64)
            - np.interp(time, time[kept], values[path, kept, 0].astype(np.float64))
            for values in (data.x, data.y)
        )
        size = float(np.sqrt(np.mean(np.square(data.y[path, rows, 0], dtype=np.float64)))) or 1.0
        spread = float(np.ptp(data.x[path, rows, 0])) or 1.0
        worst[0] = max(worst[0], float(np.abs(strain).max()) / spread)
        worst[1] = max(worst[1], float(np.sqrt(np.mean(stress**2))) / size)
    return worst[0], worst[1]


def _keep(data: Split, lengths: np.ndarray, every: int) -> Split:
    """Every k-th row of each path, its rates and steps computed anew; padded with a hold."""
    rows = [_kept_rows(int(length), every) for length in lengths]
    paths, steps = len(rows), max(map(len, rows))
    x, y = (np.zeros((paths, steps, each.shape[-1])) for each in (data.x, data.y))
    x[..., 3:] = data.x[:, :1, 3:]  # covariates
    weight = np.zeros((paths, steps), np.float32)
    for path, kept in enumerate(rows):
        count = len(kept)
        time = np.cumsum(data.x[path, :, 2], dtype=np.float64)[kept]
        strain, dt = data.x[path, kept, 0].astype(np.float64), np.diff(time)
        x[path, :count, 0] = strain
        x[path, 1:count, 1] = np.diff(strain) / dt
        x[path, 1:count, 2] = dt
        # the first row keeps its rate and step: the material is at rest before it
        x[path, 0, 1:3] = data.x[path, 0, 1:3]
        x[path, count:, :3] = (strain[-1], 0.0, dt[-1])
        y[path, :count] = data.y[path, kept]
        weight[path, :count] = 1.0 if data.weight is None else data.weight[path, kept]
    return replace(data, x=x.astype(np.float32), y=y.astype(np.float32), weight=weight)
