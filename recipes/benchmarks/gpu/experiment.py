"""Time every row, and print them as a Markdown table."""

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

from recipes.benchmarks.gpu import jobs
from recipes.benchmarks.gpu.jobs import Row, Sizes
from recipes.benchmarks.gpu.settings import Settings
from zoo.files import write_text

WARM_UP_STEPS, MIN_STEPS = 3, 5
TINY = Sizes(batch=2, time=6, units=(3,), picture=67, pictures=1, clips=1, clip_s=3.0)


def run(settings: Settings) -> list[str]:
    """Measure every row and print it; returns the lines of the table."""
    keras.utils.set_random_seed(0)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    lines = [
        describe_device(settings.deterministic),
        "",
        "| | | ms | range | a second |",
        "|---|---|---:|---|---:|",
    ]
    print(*lines, sep="\n", flush=True)
    for row in rows(settings):
        lines.append(measure(row, settings))
        print(lines[-1], flush=True)
        gc.collect()
    if settings.table is not None:
        write_text(settings.table, "\n".join(lines) + "\n")
    return lines


def rows(settings: Settings) -> Iterator[Row]:
    """All rows, each built when its turn comes, so that one model at a time is on the device."""
    sizes = TINY if settings.tiny else Sizes()
    yield from jobs.tensorflow_rows(sizes)
    if importlib.util.find_spec("torch") is not None:
        from recipes.benchmarks.gpu import in_torch  # optional

        yield from in_torch.rows(sizes, settings.deterministic)


def measure(row: Row, settings: Settings) -> str:
    """One line of the table; of a row that fails, with the reason."""
    try:
        step = row.build()
        times_ms = time_steps(step, 0.0 if settings.tiny else settings.seconds)
    except Exception as error:  # a GPU may lack an operation or memory: the others are measured
        reason = (str(error).splitlines() or [""])[0][:80]
        return f"| {row.what} | {row.who} | - | {type(error).__name__}: {reason} | |"
    median = statistics.median(times_ms)
    span = f"{min(times_ms):.2f} to {max(times_ms):.2f}"
    return f"| {row.what} | {row.who} | {median:.2f} | {span} | {1e3 * row.items / median:,.0f} |"


def time_steps(step: Callable[[], float], seconds: float) -> list[float]:
    """Times of steps [ms], each until its result is on the host; the first are not counted."""
    for _ in range(WARM_UP_STEPS if seconds else 1):
        step()
    times_ms: list[float] = []
    end = time.perf_counter() + seconds
    while len(times_ms) < (MIN_STEPS if seconds else 2) or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times_ms.append(1e3 * (time.perf_counter() - start))
    return times_ms


def describe_device(deterministic: bool) -> str:
    """A sentence on the device and the versions."""
    gpus = tf.config.list_physical_devices("GPU")
    names = [
        tf.config.experimental.get_device_details(each).get("device_name", "GPU") for each in gpus
    ]
    device = ", ".join(names) or "no GPU: CPU"
    tf32 = "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off"
    return (
        f"{device}; TensorFlow {tf.__version__}, Keras {keras.__version__}, TF32 {tf32}, "
        f"deterministic operations {'on' if deterministic else 'off'}."
    )
