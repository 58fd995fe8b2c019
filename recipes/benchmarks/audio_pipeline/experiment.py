"""Run the benchmark: time every variant on a corpus and on its WAV copy, and print a table."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from recipes.benchmarks.audio_pipeline import variants
from recipes.benchmarks.audio_pipeline.corpora import (
    drop_from_cache,
    write_synthetic_corpus,
    write_wav_copy,
)
from recipes.benchmarks.audio_pipeline.settings import Settings
from zoo.data import corpora

LOOP, ZOO = "librosa in a loop", "zoo, files to log-mel"
DECODING = "decoding alone, soundfile in threads"


@dataclass(frozen=True)
class Timing:
    """Time of a run.

    Attributes:
        elapsed_s: [s].
        processor_s: time of all processors for this process [s].
    """

    elapsed_s: float
    processor_s: float


def run(settings: Settings) -> None:
    """Measure a corpus and its WAV copy, and print the results."""
    with tempfile.TemporaryDirectory() as scratch:
        corpus = settings.data or write_synthetic_corpus(Path(scratch, "synthetic"))
        wav = write_wav_copy(corpus, Path(scratch, "wav"))
        for root in (corpus, wav):
            measure_corpus(root, settings)


def measure_corpus(root: Path, settings: Settings) -> None:
    """Time every variant on a corpus and print a line for each."""
    paths = list(corpora.read(root).index["path"])
    print(
        f"\n{len(paths)} clips, {Path(paths[0]).suffix}, {settings.cores} cores, "
        f"median of {settings.repeats} runs"
    )
    timings, log_mel = time_from_files(root, paths, settings)
    timings |= time_kept(root, settings.repeats)
    loop = timings[LOOP]
    for name, timing in timings.items():
        print(
            f"  {name:38} {len(paths) / timing.elapsed_s:>9,.0f} clips/s "
            f"{loop.elapsed_s / timing.elapsed_s:>8.1f} x "
            f"{1e3 * timing.processor_s / len(paths):>7.2f} ms of processor time per clip"
        )
    print(f"  by processor time, all {settings.cores} cores against the one of the loop:")
    for name in (ZOO, DECODING):
        ratio = settings.cores * loop.processor_s / timings[name].processor_s
        print(f"  {name:38} {ratio:>8.1f} x")
    difference = np.abs(log_mel[ZOO] - log_mel[LOOP]).max()
    print(f"  largest difference from librosa: {difference:.1e} dB")


def time_from_files(
    root: Path, paths: list[str], settings: Settings
) -> tuple[dict[str, Timing], dict[str, np.ndarray]]:
    """Median timing and result of every variant that reads the files."""
    runs: dict[str, Callable[[], np.ndarray | None]] = {
        LOOP: partial(variants.librosa_in_loop, paths),
        "librosa in tf.data's py_function": partial(
            variants.librosa_in_tf_data, paths, settings.cores
        ),
        DECODING: partial(variants.decode_in_threads, paths, settings.cores),
        ZOO: partial(variants.zoo_from_files, root),
    }
    timings: dict[str, list[Timing]] = {name: [] for name in runs}
    results: dict[str, np.ndarray] = {}
    for _ in range(settings.repeats):
        for name, function in runs.items():
            drop_from_cache(paths)
            timing, result = _time(function)
            timings[name].append(timing)
            if result is not None:
                results[name] = result
    return {name: _median(each) for name, each in timings.items()}, results


def time_kept(root: Path, repeats: int) -> dict[str, Timing]:
    """Median timing of an epoch of kept waveforms, and of kept features."""
    of_waveforms, of_features = variants.zoo_epochs(root)
    timings = {}
    for name, epoch in (
        ("zoo, again from kept waveforms", of_waveforms),
        ("zoo, again from kept log-mel", of_features),
    ):
        epoch()
        timings[name] = _median([_time(epoch)[0] for _ in range(repeats)])
    return timings


def _time(function: Callable[[], np.ndarray | None]) -> tuple[Timing, np.ndarray | None]:
    start, processor_start = time.perf_counter(), time.process_time()
    result = function()
    return Timing(time.perf_counter() - start, time.process_time() - processor_start), result


def _median(timings: list[Timing]) -> Timing:
    return Timing(
        statistics.median(timing.elapsed_s for timing in timings),
        statistics.median(timing.processor_s for timing in timings),
    )
