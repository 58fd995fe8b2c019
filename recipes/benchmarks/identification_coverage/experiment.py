"""Fit noisy tests of one walk many times, and count how often an interval holds the truth."""

import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from recipes.benchmarks.identification_coverage.settings import Settings
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.files import write_text
from zoo.identification.fit import Identification, Search, fit_response
from zoo.identification.response import Response
from zoo.presets import material
from zoo.report import Column, Table

EXPONENTS = (1.5, 3.0, 5.0)
CONSTANTS = ("modulus", "exponent", "kappa")
START_UP = 100  # samples of the noise that are left out, so that it is stationary
PUBLISHED = Path(__file__).parents[1]

Row = tuple[float, float, float, str, float, float, float, float]


def run(settings: Settings) -> None:
    """Measure a row for each law, exponent and constant; print the table, and publish it."""
    rows = []
    for wrong in settings.wrong:
        for exponent in EXPONENTS:
            rows += measure_exponent(exponent, wrong, settings)
            table = coverage_table(rows, settings)
            print(table.text(), flush=True)
            if settings.publish:
                publish_table(table, "identification_coverage.md", settings)


def coverage_table(rows: Sequence[Row], settings: Settings) -> Table:
    """The rows as a table.

    Args:
        rows: wrong modulus, misfit, exponent, constant, error on exact data, coverage, half width
            and seconds each.
        settings: of the run.
    """
    kind = "profile-likelihood" if settings.profile else "asymptotic"
    columns = (
        *(("second branch", ".2f"), ("misfit", ".2%"), ("m", ".3g"), ("constant", None)),
        *(("error without noise", ".1e"), ("covered", ".1%"), ("half width", ".2%"), ("s", ".2f")),
    )
    return Table(
        [Column(name, number=number) if number else Column(name) for name, number in columns],
        [list(row) for row in rows],
        f"95 % intervals, {kind}, of {settings.repeats} tests of {settings.steps} steps with noise "
        f"of {settings.noise:g} of the RMS stress. Second branch: its modulus, share of the first "
        "one's, which the fitted law does not have; misfit: what it leaves of the RMS stress "
        "without noise; coverage is then of the constants that fit best without noise.",
    )


def publish_table(table: Table, name: str, settings: Settings) -> None:
    """Write a table and the command that made it to recipes/benchmarks.

    Args:
        table: what was measured.
        name: of the file.
        settings: of the run.
    """
    default, options = Settings(), []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value == getattr(default, field.name) or field.name == "publish":
            continue
        words = value if isinstance(value, tuple) else [] if value is True else [value]
        options.append(" ".join([f"--{field.name}", *(f"{word:g}" for word in words)]))
    command = " ".join(["python -m recipes.benchmarks.identification_coverage", *options])
    text = f"{table.markdown()}\n{table.caption}\n\nMade by\n\n    {command}\n"
    write_text(PUBLISHED / name, text)


def measure_exponent(exponent: float, wrong: float, settings: Settings) -> list[Row]:
    """A row for each constant, see `coverage_table`.

    Args:
        exponent: m of the true law.
        wrong: modulus of the second branch, share of the first one's.
        settings: of the run.
    """
    truth = Material(modulus_mpa=1.5, nu0_s=0.8, sigma0_mpa=1.2, exponent=exponent)
    data = hysteresis.split(
        "walk", paths=1, seed=settings.seed, steps=settings.steps, material=truth
    )
    values = np.array([truth.modulus_mpa, truth.exponent, truth.kappa])
    if wrong:
        data = replace(data, y=data.y + second_branch(data.x, wrong * truth.modulus_mpa))
    response = Response(material("maxwell").build(data.x, data.y, None), data.x)
    first = response.start()
    exact_fit = fit_response(response, data.y, search=Search(starts=1))
    misfit = exact_fit.rmse / np.sqrt(np.mean(np.square(data.y, dtype=np.float64)))
    exact = estimate_rows(exact_fit)[0]
    if wrong:
        values = exact

    rng = np.random.default_rng(settings.seed)
    size = settings.noise * np.sqrt(np.mean(data.y**2))
    covered, widths, started = [], [], time.perf_counter()
    for _ in range(settings.repeats):
        noise = draw_noise(rng, settings.steps, settings.correlation)
        response.set_model_weights(first)
        stress = data.y + size * noise[None, :, None]
        result = fit_response(response, stress, search=Search(1, profile=settings.profile))
        _, low, high = estimate_rows(result)
        covered.append((low <= values) & (values <= high))
        widths.append((high - low) / 2 / values)
    seconds = (time.perf_counter() - started) / settings.repeats
    shares, half_widths = np.mean(covered, axis=0), np.median(widths, axis=0)
    return [
        (
            *(wrong, float(misfit), exponent, name, float(exact[k] / values[k] - 1)),
            *(float(shares[k]), float(half_widths[k]), seconds),
        )
        for k, name in enumerate(CONSTANTS)
    ]


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
