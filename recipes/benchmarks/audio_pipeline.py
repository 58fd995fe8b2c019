"""Clips a second from cold files to batches of log-mel, beside librosa.

python -m recipes.benchmarks.audio_pipeline [--data ESC-10] [--cores 2] [--repeats 3]

All of them compute librosa's default log-mel (22.05 kHz, 2048, 512, 128 bands) of the same clips,
and the results are compared. Before every cold run the files are dropped from the system's cache.
Without --data, 320 clips of 5 s are made up. Each corpus is also measured as 16-bit WAV. On a busy
machine believe the processor time: of two processes that share the cores, it says who needs less.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RATE_HZ = 22_050
DURATION_S = 5.0
BATCH = 32


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="corpus in any layout (default: made up)")
    parser.add_argument("--cores", type=int, default=2, help="processors to use (default 2)")
    parser.add_argument("--repeats", type=int, default=3, help="runs, the median counts")
    options = parser.parse_args()
    if options.cores < 1 or options.repeats < 1:
        print("error: --cores and --repeats must be 1 or more", file=sys.stderr)
        return 2
    _use_cores(options.cores)
    with tempfile.TemporaryDirectory() as scratch:
        given = options.data or _made_up(Path(scratch, "made up"))
        as_wav = _as_wav(given, Path(scratch, "wav"))
        for root in (given, as_wav):
            _measure(root, options)
    return 0


def _use_cores(cores: int) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(cores)
    # a loop has one core: BLAS would gain it nothing, and its idle threads would count as work
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _made_up(root: Path) -> Path:
    """Ten classes of 32 Ogg files of noise under a tone."""
    import numpy as np
    import soundfile

    draw = np.random.default_rng(0)
    time_s = np.arange(int(44_100 * DURATION_S)) / 44_100
    for number in range(320):
        folder = root / f"class {number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        sound = 0.1 * draw.standard_normal(len(time_s))
        sound += 0.3 * np.sin(2 * np.pi * draw.uniform(100, 5000) * time_s)
        soundfile.write(folder / f"{number}.ogg", sound, 44_100, subtype="VORBIS")
    return root


def _as_wav(given: Path, root: Path) -> Path:
    """The same clips as a folder of classes in 16-bit WAV."""
    import soundfile

    from zoo.data import corpora

    index = corpora.read(given).index
    for number, (path, label) in enumerate(zip(index["path"], index["label"], strict=True)):
        folder = root / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        sound, rate_hz = soundfile.read(path)
        soundfile.write(folder / f"{number}.wav", sound, rate_hz, subtype="PCM_16")
    return root


def _measure(root: Path, options: argparse.Namespace) -> None:
    import numpy as np

    from zoo.data import corpora

    index = corpora.read(root).index
    paths = list(index["path"])
    kind = Path(paths[0]).suffix
    print(f"\n{len(paths)} clips, {kind}, {options.cores} cores, median of {options.repeats} runs")
    runs: dict[str, Callable] = {
        "librosa in a loop": lambda: _librosa_loop(paths),
        "librosa in tf.data's py_function": lambda: _librosa_in_tf_data(paths, options.cores),
        "decoding alone, soundfile in threads": lambda: _decode(paths, options.cores),
        "zoo, cold files to log-mel": lambda: _zoo_cold(root),
    }
    took = {name: [] for name in runs}
    found = {}
    for _ in range(options.repeats):
        for name, run in runs.items():
            _drop_from_cache(paths)
            took[name].append(_Stopwatch())
            found[name] = run()
            took[name][-1].stop()
    waveforms, logmels = _zoo_kept(root)
    for name, run in (
        ("zoo, again from kept waveforms", waveforms),
        ("zoo, again from kept log-mel", logmels),
    ):
        run()
        took[name] = []
        for _ in range(options.repeats):
            took[name].append(_Stopwatch())
            run()
            took[name][-1].stop()
    median = {
        name: (
            statistics.median(watch.seconds for watch in watches),
            statistics.median(watch.busy_seconds for watch in watches),
        )
        for name, watches in took.items()
    }
    loop, loop_busy = median["librosa in a loop"]
    for name, (seconds, busy) in median.items():
        print(
            f"  {name:38} {len(paths) / seconds:>9,.0f} clips/s {loop / seconds:>8.1f} x "
            f"{1e3 * busy / len(paths):>7.2f} ms of processor a clip"
        )
    cores = options.cores
    print(f"  by processor time, {cores} cores kept busy against the loop's one:")
    for name in ("zoo, cold files to log-mel", "decoding alone, soundfile in threads"):
        print(f"  {name:38} {cores * loop_busy / median[name][1]:>8.1f} x")
    reference = found["librosa in a loop"]
    ours = found["zoo, cold files to log-mel"]
    print(f"  furthest from librosa: {np.abs(ours - reference).max():.1e} dB")


class _Stopwatch:
    """Time that passes, and time that processors work for this process: others may be busy too."""

    def __init__(self) -> None:
        self.seconds, self.busy_seconds = -time.perf_counter(), -time.process_time()

    def stop(self) -> None:
        self.seconds += time.perf_counter()
        self.busy_seconds += time.process_time()


def _drop_from_cache(paths: list[str]) -> None:
    if hasattr(os, "posix_fadvise"):
        for path in paths:
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _librosa_log_mel(path: str):
    """(frames, bands) of a clip cut or repeated to five seconds."""
    import librosa
    import numpy as np

    sound, rate_hz = librosa.load(path, sr=RATE_HZ)
    length = round(DURATION_S * rate_hz)
    start = max(0, int(0.5 * (len(sound) - length) + 0.5))
    sound = np.resize(sound, length) if len(sound) < length else sound[start : start + length]
    mel = librosa.feature.melspectrogram(y=sound, sr=rate_hz, pad_mode="constant")
    return librosa.power_to_db(mel, top_db=None).T


def _librosa_loop(paths: list[str]):
    import numpy as np

    return np.stack([_librosa_log_mel(path) for path in paths])


def _librosa_in_tf_data(paths: list[str], cores: int):
    import numpy as np
    import tensorflow as tf

    def one(path: tf.Tensor) -> tf.Tensor:
        return tf.py_function(lambda p: _librosa_log_mel(p.numpy().decode()), [path], tf.float32)

    dataset = tf.data.Dataset.from_tensor_slices(paths).map(one, num_parallel_calls=cores)
    return np.concatenate([batch.numpy() for batch in dataset.batch(BATCH).prefetch(2)])


def _decode(paths: list[str], cores: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import soundfile

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda path: len(soundfile.read(path, dtype="float32")[0]), paths))


def _zoo_cold(root: Path):
    import numpy as np

    kept = _clips(root).with_features(_front_end(), duration_s=DURATION_S)
    return np.concatenate([x.numpy() for x, _ in kept.all_batches(BATCH)])[..., 0]


def _zoo_kept(root: Path) -> tuple[Callable, Callable]:
    """An epoch of shuffled training batches of log-mel, from kept waveforms and kept log-mel."""
    clips, front_end = _clips(root), _front_end()
    steps = len(clips) // BATCH
    kept = clips.with_features(front_end, duration_s=DURATION_S).dataset(BATCH, seed=0)
    waveforms = clips.dataset(BATCH, seed=0, duration_s=DURATION_S)
    computed = waveforms.map(lambda x, y: (front_end(x), y), num_parallel_calls=2).prefetch(2)

    def epoch(dataset) -> Callable:
        batches = iter(dataset)

        def run() -> None:
            for _ in range(steps):
                next(batches)

        return run

    return epoch(computed), epoch(kept)


def _clips(root: Path):
    from zoo.data import corpora
    from zoo.data.pipeline import load

    return load(corpora.read(root).index, sample_rate_hz=RATE_HZ)


def _front_end():
    from zoo.spectrogram import PRESETS, Spectrogram

    return Spectrogram(PRESETS["librosa"])


if __name__ == "__main__":
    sys.exit(main())
