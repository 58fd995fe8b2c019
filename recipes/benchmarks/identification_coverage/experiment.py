"""Fit noisy tests of one walk many times, and count how often an interval holds the truth."""

import time
from dataclasses import replace

import numpy as np
from scipy.signal import lfilter

from recipes.benchmarks.identification_coverage.settings import Settings
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.identification.fit import Identification, Search, fit_response
from zoo.identification.response import Response
from zoo.presets import material

EXPONENTS = (1.5, 3.0, 5.0)
CONSTANTS = ("modulus", "exponent", "kappa")
START_UP = 100  # samples of the noise that are left out, so that it is stationary
ONE_START = Search(starts=1)


def run(settings: Settings) -> None:
    """Measure and print a row for each exponent and constant."""
    print(
        f"{settings.repeats} tests of {settings.steps} steps, noise {settings.noise:g} of the RMS "
        "stress"
    )
    print(f"{'m':>4} {'constant':<9} {'exact data':>11} {'covered':>8} {'half width':>11} {'s':>5}")
    for exponent in EXPONENTS:
        measure_exponent(exponent, settings)


def measure_exponent(exponent: float, settings: Settings) -> None:
    """Print for each constant: error without noise, coverage, median half width, seconds a fit."""
    truth = Material(modulus_mpa=1.5, nu0_s=0.8, sigma0_mpa=1.2, exponent=exponent)
    data = hysteresis.split(
        "walk", paths=1, seed=settings.seed, steps=settings.steps, material=truth
    )
    values = np.array([truth.modulus_mpa, truth.exponent, truth.kappa])
    if settings.wrong:
        data = replace(data, y=data.y + second_branch(data.x, settings.wrong * truth.modulus_mpa))
    response = Response(material("maxwell").build(data.x, data.y, None), data.x)
    first = response.start()
    exact_fit = fit_response(response, data.y, search=ONE_START)
    exact = estimate_rows(exact_fit)[0]
    if settings.wrong:
        misfit = exact_fit.rmse / np.sqrt(np.mean(np.square(data.y, dtype=np.float64)))
        print(f"m {exponent:g}: the law is wrong by {misfit:.2%} of the RMS stress without noise")
        values = exact

    rng = np.random.default_rng(settings.seed)
    size = settings.noise * np.sqrt(np.mean(data.y**2))
    covered, widths, started = [], [], time.perf_counter()
    for _ in range(settings.repeats):
        noise = draw_noise(rng, settings.steps, settings.correlation)
        response.set_model_weights(first)
        stress = data.y + size * noise[None, :, None]
        _, low, high = estimate_rows(fit_response(response, stress, search=ONE_START))
        covered.append((low <= values) & (values <= high))
        widths.append((high - low) / 2 / values)
    seconds = (time.perf_counter() - started) / settings.repeats
    for k, name in enumerate(CONSTANTS):
        print(
            f"{exponent:>4g} {name:<9} {exact[k] / values[k] - 1:>11.1e} "
            f"{np.mean(covered, axis=0)[k]:>8.1%} {np.median(widths, axis=0)[k]:>11.2%} "
            f"{seconds:>5.2f}"
        )


def second_branch(x: np.ndarray, modulus: float, time_s: float = 5.0) -> np.ndarray:
    """Stress of a linear Maxwell branch, exact for piecewise-linear strain, (1, steps, 1).

    Args:
        x: (1, steps, 3).
        modulus: E [MPa].
        time_s: τ [s].
    """
    h, history = 0.0, []
    for _, rate, dt in x[0].astype(np.float64):
        kept = np.exp(-dt / time_s)
        h = kept * h + modulus * time_s * (1 - kept) * rate
        history.append(h)
    return np.array(history, np.float32)[None, :, None]


def draw_noise(rng: np.random.Generator, steps: int, correlation: float) -> np.ndarray:
    """Stationary Gaussian noise of unit variance, first-order autoregressive, (steps,)."""
    white = rng.normal(size=(steps + START_UP,))
    noise = lfilter([np.sqrt(1 - correlation**2)], [1, -correlation], white)
    return np.asarray(noise)[START_UP:]


def estimate_rows(result: Identification) -> np.ndarray:
    """Values, lower and upper ends of the intervals of `CONSTANTS`, (3, constants)."""
    estimates = [result.estimates[name] for name in CONSTANTS]
    return np.array([(e.value, e.low, e.high) for e in estimates]).T
