"""Loading over decades: amplitudes, rates, time steps and holds that one model has to cover.

`walk` trains a model for one amplitude and one step a path; on a hold of minutes, a small amplitude
or a step that changes, it then fails. `broad` draws all of them.
"""

import numpy as np

from zoo.data.loading import AMPLITUDE, STEPS, Loading, Span, integrate, log_uniform

STEPS_S: Span = (0.002, 0.8)  # time steps [s]
TINY_STEPS_S: Span = (2e-6, 2e-3)  # in `TINY_SHARE` of the paths [s]
TINY_SHARE = 0.08
RATES: Span = (0.02, 20.0)  # of the pieces, at amplitude 2 [1/s]
AMPLITUDES: Span = (0.02, 5.0)  # in half of the paths; in the other half 2 [-]
HOLDS_S: Span = (0.1, 200.0)
PATHS_WITH_HOLDS, HOLD_SHARE = 0.6, 0.4  # and the share of their turning points that are held
STEPS_IN_HOLD = 30  # a step of a hold lasts this part of what is left of it, as far as steps may
OFFSET_SHARE = 1 / 3  # of the paths start at a strain other than zero, within ±2
STAIRCASE_EVERY = 3  # path of `broad_and_staircase` that is a staircase
STAIRCASE_STEPS_S: Span = (0.01, 0.2)  # time steps of those [s]
SMALL_RMS = 0.15  # of σ0; below it a path weighs less than its relative error asks for


def broad(
    rng: np.random.Generator, paths: int, steps: int = STEPS, dt_range: Span = STEPS_S
) -> Loading:
    """Walks over decades of amplitude, rate and time step, with holds, from any strain.

    Every path has its own amplitude; its rates are log-uniform and go with the amplitude. A time
    step lasts 1 to 60 samples, in every fourth path for the whole path. In three of five paths a
    piece may be followed by a hold of 0.1 to 200 s; a third of the paths start at another strain
    than zero, with zero stress; 8 % have steps of microseconds.

    Args:
        rng: source of random numbers.
        paths: how many.
        steps: in a path.
        dt_range: of the time steps, log-uniform [s].
    """
    index = np.arange(paths)
    steady = index % 4 == 0
    tiny = rng.random(paths) < TINY_SHARE
    shortest = np.where(tiny, TINY_STEPS_S[0], dt_range[0])
    longest = np.where(tiny, TINY_STEPS_S[1], dt_range[1])
    amplitude = np.where(index % 2 == 0, AMPLITUDE, log_uniform(rng, AMPLITUDES, paths))
    with_holds = rng.random(paths) < PATHS_WITH_HOLDS
    dt, rate = np.empty((paths, steps)), np.empty((paths, steps))
    strain, slope, rest = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    size, remaining = np.zeros(paths), np.zeros(paths, int)
    holding = np.zeros(paths, bool)
    for step in range(steps):
        turning = np.flatnonzero(rest <= 1e-9 * shortest)
        change = rng.uniform(-1, 1, turning.size) * amplitude[turning] - strain[turning]
        speed = log_uniform(rng, RATES, turning.size) * np.clip(amplitude[turning] / 2, 0.01, 1)
        held = rng.random(turning.size) < HOLD_SHARE
        held &= ~holding[turning] & with_holds[turning] & (step > 0)
        duration = log_uniform(rng, HOLDS_S, turning.size)
        slope[turning] = np.where(held, 0.0, np.sign(change) * speed)
        rest[turning] = np.where(held, duration, np.abs(change) / speed)
        holding[turning] = held

        changing = np.flatnonzero(remaining == 0)
        low, high = np.log(shortest[changing]), np.log(longest[changing])
        size[changing] = np.exp(rng.uniform(low, high))
        remaining[changing] = np.where(steady[changing], steps, rng.integers(1, 61, changing.size))
        # Whoever measures a long hold records it in steps that fit it.
        fitting = np.maximum(size, np.minimum(rest / STEPS_IN_HOLD, longest))
        own = np.where(holding & ~steady, fitting, size)
        # A piece ends on a sample: its last step is cut to what is left, but not below the range.
        dt[:, step] = np.maximum(np.minimum(own, rest), shortest)
        rate[:, step] = slope
        strain += slope * dt[:, step]
        rest -= dt[:, step]
        remaining -= 1
    offset = np.where(rng.random(paths) < OFFSET_SHARE, rng.uniform(-2, 2, paths), 0.0)
    path, rate, dt = integrate(rate, dt)
    return Loading(path + offset[:, None], rate, dt)


def staircase(
    rng: np.random.Generator, paths: int, steps: int = STEPS, dt_range: Span = (0.025, 0.1)
) -> Loading:
    """Steps at 2 to 20 /s to levels within ±2, each followed by a hold of 5 to 39 samples.

    Args:
        rng: source of random numbers.
        paths: how many.
        steps: in a path.
        dt_range: of the time steps, log-uniform, one a path [s].
    """
    dt, rate = log_uniform(rng, dt_range, paths), np.zeros((paths, steps))
    strain, slope, left = np.zeros(paths), np.zeros(paths), np.zeros(paths, int)
    holding = np.ones(paths, bool)
    for step in range(steps):
        ending = left == 0
        rising = ending & holding
        change = rng.uniform(-AMPLITUDE, AMPLITUDE, paths) - strain
        speed = log_uniform(rng, (2.0, 20.0), paths)
        samples = np.maximum(1, np.round(np.abs(change) / (speed * dt))).astype(int)
        held = rng.integers(5, 40, paths)
        slope = np.where(rising, change / (samples * dt), np.where(ending, 0.0, slope))
        left = np.where(rising, samples, np.where(ending, held, left))
        holding = np.where(ending, ~holding, holding)
        rate[:, step] = slope
        strain += slope * dt
        left -= 1
    return integrate(rate, np.repeat(dt[:, None], steps, axis=1))


def broad_and_staircase(
    rng: np.random.Generator, paths: int, steps: int = STEPS, dt_range: Span = STEPS_S
) -> Loading:
    """`broad`, with every third path a `staircase` of time steps of 0.01 to 0.2 s.

    Args:
        rng: source of random numbers.
        paths: how many.
        steps: in a path.
        dt_range: of the time steps of `broad`, log-uniform [s].
    """
    is_staircase = np.arange(paths) % STAIRCASE_EVERY == STAIRCASE_EVERY - 1
    stairs = staircase(rng, int(is_staircase.sum()), steps, STAIRCASE_STEPS_S)
    others = broad(rng, int((~is_staircase).sum()), steps, dt_range)
    joined = [np.empty((paths, steps)) for _ in others]
    for whole, own, other in zip(joined, stairs, others, strict=True):
        whole[is_staircase], whole[~is_staircase] = own, other
    return Loading(*joined)


def long_hold(
    rng: np.random.Generator, paths: int, ramp_steps: int = 40, hold_steps: int = 500
) -> Loading:
    """A ramp to 0.5 to 2 at 0.5 to 8 /s in steps of 0.05 s, then 200 s in steps of 0.4 s.

    Args:
        rng: source of random numbers.
        paths: how many.
        ramp_steps: before the hold.
        hold_steps: of the hold.
    """
    end = rng.uniform(0.5, AMPLITUDE, paths) * rng.choice([-1.0, 1.0], paths)
    ramp = np.maximum(1, np.round(np.abs(end) / log_uniform(rng, (0.5, 8.0), paths) / 0.05))
    ramp = np.minimum(ramp, ramp_steps)
    rising = np.arange(ramp_steps + hold_steps) < ramp[:, None]
    rate = np.where(rising, (end / (ramp * 0.05))[:, None], 0.0)
    dt = np.where(np.arange(rate.shape[1]) < ramp_steps, 0.05, 0.4)
    return integrate(rate, np.broadcast_to(dt, rate.shape).copy())


def relative_weight(
    stress: np.ndarray, scale: float = 1.0, small_rms: float = SMALL_RMS
) -> np.ndarray:
    """Weight of each sample that makes every path's squared relative error count alike.

    w = 1 / (RMS² + (small_rms scale)²), divided by its mean over all samples.

    Args:
        stress: (paths, time) [MPa].
        scale: σ0 [MPa].
        small_rms: share of σ0; a path of less stress weighs less than its relative error asks for.

    Returns:
        (paths, time) float32.
    """
    weight = 1 / (np.mean(np.square(stress), axis=1) + (small_rms * scale) ** 2)
    weight = np.repeat(weight[:, None] / weight.mean(), stress.shape[1], axis=1)
    return weight.astype(np.float32)
