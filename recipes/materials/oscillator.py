"""The hysteretic benchmark of Noël and Schoukens: displacement of a Bouc–Wen oscillator from force.

The constants of the law are fitted to the training multisine alone. A multisine is periodic and
band-limited, so the force between samples is known: it is interpolated by its Fourier series. The
model starts one period early, so that no state needs to be known. A black box, a state-space model
with a layer of tanh, is fitted to the same record, one step a sample.
"""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.materials.measured_sets import as_split
from zoo import presets
from zoo.data.split import Split
from zoo.identification.fit import Identification, Search, fit_response
from zoo.identification.response import Response
from zoo.identification.weights import fit_weights
from zoo.progress import say
from zoo.stress.scoring import Baseline

FORCE, DISPLACEMENT = ("force", "N"), "displacement"
LAW = "bouc-wen-oscillator"
PERIOD = 8192  # samples of the multisines
EXCITED = 1e-3  # of the largest amplitude: above it a frequency is excited
FACTOR = 8  # steps of the model in a sample
EVALUATIONS = 300  # of the black box
WARM_UP = 4096  # samples of the period that go before it, so that the start has died out
SOURCE = (
    "Noël and Schoukens 2016, hysteretic benchmark with a dynamic nonlinearity: simulated, force "
    "[N] to displacement [m] at 750 Hz, noise of 7e-6 m on the training output (MIT)."
)


def read_record(file: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Force [N] and displacement [m], (samples,), and the sampling rate [1/s].

    Args:
        file: .npz of the benchmark.

    Raises:
        ValueError: no such file.
    """
    if not file.is_file():
        raise ValueError(
            f"{file}: no such file, expected a record of the benchmark. Give the folder that holds "
            "bouc_wen by --data PATH."
        )
    with np.load(file) as record:
        return record["force_n"], record["displacement_m"], float(record["rate_hz"])


def interpolate(force: np.ndarray, factor: int) -> np.ndarray:
    """A period at `factor` times the rate, by its Fourier series.

    Args:
        force: one period, (samples,).
        factor: steps in a sample.

    Returns:
        (factor * samples,); every `factor`-th entry, from 0, is a given sample.
    """
    spectrum = np.fft.rfft(force)
    return np.fft.irfft(spectrum, factor * len(force)) * factor


def periodic_path(
    force: np.ndarray, displacement: np.ndarray, rate_hz: float, factor: int = FACTOR
) -> Split:
    """A period behind a part of itself, as a path of one feature triple (force, rate, dt).

    Args:
        force: one period [N], (samples,).
        displacement: of that period [m], (samples,).
        rate_hz: of the samples.
        factor: steps in a sample.

    Returns:
        Path that counts at the given samples, and only there.
    """
    fine, dt = interpolate(force, factor), 1.0 / (rate_hz * factor)
    start = factor * WARM_UP
    whole = np.concatenate([fine[-start:], fine])
    rate = np.diff(whole, prepend=whole[0]) / dt
    x = np.stack([whole, rate, np.full(len(whole), dt)], axis=-1)[None]
    y, weight = np.zeros((1, len(whole), 1)), np.zeros((1, len(whole)))
    y[0, start::factor, 0], weight[0, start::factor] = displacement, 1
    return as_split(x, y, "m", ["multisine"], weight, FORCE, DISPLACEMENT)


def fit_oscillator(folder: Path, starts: int = 1) -> tuple[keras.Model, Identification, Split]:
    """Fit the constants to the mean period of the training record.

    Args:
        folder: that holds bouc_wen.
        starts: first guesses; the first comes from the spectra of the record.

    Returns:
        Fitted model, its constants, the training path.
    """
    force, displacement, rate = read_record(folder / "bouc_wen/train_multisine.npz")
    periods = displacement.reshape(-1, PERIOD)
    train = periodic_path(force[:PERIOD], periods.mean(axis=0), rate)
    model = presets.material(LAW).build(
        np.stack([force[:PERIOD], np.zeros(PERIOD), np.full(PERIOD, 1 / rate)], -1)[None],
        periods.mean(axis=0)[None, :, None],
    )
    response = Response(model, train.x, train.weight)
    result = fit_response(response, train.y, unit="m", search=Search(starts), say=say)
    return model, result, train


def fit_black_box(folder: Path, evaluations: int = EVALUATIONS) -> tuple[keras.Model, float]:
    """Fit all weights of the preset "state-space" to the mean period of the training record.

    Args:
        folder: that holds bouc_wen.
        evaluations: of the response, at which the search ends; nothing held out stops it.

    Returns:
        Fitted model for one step a sample, and its RMSE on the record [m].
    """
    force, displacement, rate = read_record(folder / "bouc_wen/train_multisine.npz")
    period = displacement.reshape(-1, PERIOD).mean(axis=0)
    train = periodic_path(force[:PERIOD], period, rate, factor=1)
    model = presets.material("state-space").build(train.x, train.y, train.weight)
    response = Response(model, train.x, train.weight, FORCE[1])
    return model, fit_weights(response, train.y, evaluations=evaluations, say=say)


def sweep_test(folder: Path) -> Split:
    """The official sine sweep, from rest, as a path of one step a sample.

    Args:
        folder: that holds bouc_wen.
    """
    force, displacement, rate = read_record(folder / "bouc_wen/test_sinesweep.npz")
    slope = np.diff(force, prepend=force[0]) * rate
    x = np.stack([force, slope, np.full(len(force), 1 / rate)], axis=-1)[None]
    y = displacement[None, :, None]
    return as_split(x, y, "m", ["sine sweep"], None, FORCE, DISPLACEMENT)


def error_of(model: keras.Model, test: Split) -> float:
    """Root of the mean squared error over the samples that count, in the unit of the response."""
    response = Response(model, test.x, test.weight, FORCE[1])
    gap = response(response.start()) - np.asarray(test.y, np.float64)[response.counts][:, 0]
    return float(np.sqrt(np.mean(gap**2)))


def benchmark_test(folder: Path, factor: int = FACTOR) -> Split:
    """The official test multisine as a path.

    Args:
        folder: that holds bouc_wen.
        factor: steps of the model in a sample.
    """
    return periodic_path(*read_record(folder / "bouc_wen/test_multisine.npz"), factor=factor)


def linear_baseline(folder: Path, factor: int = FACTOR) -> Baseline:
    """Best linear approximation: the frequency response of the training record (Pintelon 2012).

    H(f) = Y(f) / U(f) at the lines that the training multisine excites, which hold those of the
    test; the response to a period is the inverse transform of H U.

    Args:
        folder: that holds bouc_wen.
        factor: steps in a sample of the paths that are predicted.

    Raises:
        ValueError: no such record.
    """
    force, displacement, _ = read_record(folder / "bouc_wen/train_multisine.npz")
    spectrum = np.fft.rfft(force[:PERIOD])
    excited = np.abs(spectrum) > EXCITED * np.abs(spectrum).max()
    response = np.zeros(len(spectrum), complex)
    output = np.fft.rfft(displacement.reshape(-1, PERIOD).mean(axis=0))
    response[excited] = output[excited] / spectrum[excited]
    start = factor * WARM_UP

    def predict(x: np.ndarray) -> np.ndarray:
        period = np.fft.rfft(x[:, start::factor, 0])
        y = np.zeros((*x.shape[:2], 1), np.float32)
        y[:, start::factor, 0] = np.fft.irfft(response * period, PERIOD)
        return y

    return Baseline(predict, True, 2 * int(excited.sum()))


def fit_benchmark(folder: Path) -> dict[str, Any]:
    """Fit, and score the test multisine; for the board."""
    begin = time.perf_counter()
    model, result, _ = fit_oscillator(folder)
    test = benchmark_test(folder)
    displacement = test.y[test.weight > 0].astype(np.float64)[:, 0]  # pyright: ignore
    return {
        "rmse_test_m": error_of(model, test),
        "rmse_train_m": result.rmse,
        "rms_test_m": float(np.sqrt(np.mean(displacement**2))),
        "constants": {name: [e.value, e.low, e.high] for name, e in result.estimates.items()},
        "parameters": model.count_params(),
        "seconds": time.perf_counter() - begin,
    }


def measure_black_box(folder: Path) -> dict[str, Any]:
    """Fit the black box, and score both official tests; for the board."""
    begin = time.perf_counter()
    model, rmse = fit_black_box(folder)
    return {
        "rmse_test_m": error_of(model, benchmark_test(folder, factor=1)),
        "rmse_sweep_m": error_of(model, sweep_test(folder)),
        "rmse_train_m": rmse,
        "parameters": model.count_params(),
        "evaluations": EVALUATIONS,
        "seconds": time.perf_counter() - begin,
    }


def section(grey: dict[str, Any], black: dict[str, Any]) -> str:
    """Section of the board: the law with unknown constants, and the black box."""
    constants = ", ".join(f"{name} {value[0]:.5g}" for name, value in grey["constants"].items())
    return (
        f"## bouc_wen\n\n{SOURCE}\nFitted to the mean of the five periods of the training "
        "multisine alone; the official test multisine, started half a period early, no sample of "
        f"its output used.\n\nGrey box of {grey['parameters']} constants: RMSE "
        f"{grey['rmse_test_m']:.2e} m on the test (RMS {grey['rms_test_m']:.2e} m), "
        f"{grey['rmse_train_m']:.2e} m on the training mean, which has noise. {constants}.\n\n"
        f"Black box, preset `state-space` of {black['parameters']} weights, one step a sample, "
        f"{black['evaluations']} evaluations of a least-squares search: RMSE "
        f"{black['rmse_test_m']:.2e} m on the test multisine, {black['rmse_sweep_m']:.2e} m on the "
        f"official sine sweep from rest, {black['rmse_train_m']:.2e} m on the training mean.\n"
    )
