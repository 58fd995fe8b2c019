"""Train on features of a corpus that would not fit into memory, and watch the memory.

python -m recipes.benchmarks.large_corpus --clips 230000

The corpus is an index of clips that are made as they are read: noise of half a second. Its features
are computed once into shards, then a small network is trained on them. Memory is that of the
process, each half second.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import files
from zoo.cli import command
from zoo.cli.options import positive_int

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES, RATE_HZ = 8192, 16_000
BATCH, SHARD = 64, 1024
STEPS_PER_PART = 600


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.large_corpus",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--clips", type=positive_int, default=20_000, help="of the corpus")
    parser.add_argument(
        "--steps", type=positive_int, default=600, help="of training, batches of 64"
    )
    parser.add_argument("--folder", type=Path, help="for the shards (default: a temporary one)")
    parser.add_argument("--out", type=Path, default=Path("runs/large_corpus"), metavar="FOLDER")
    return parser


class Memory:
    """Resident memory of this process over time; a thread reads it each half second."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.seconds: list[float] = []
        self.mebibytes: list[float] = []
        self.phases: list[tuple[str, float, float, float]] = []  # name, start, end, peak
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._is_over.wait(0.5):
            self.read()

    def read(self) -> float:
        """Now [MiB]."""
        line = next(
            each
            for each in Path("/proc/self/status").read_text().splitlines()
            if each.startswith("VmRSS")
        )
        self.seconds.append(time.monotonic() - self.started)
        self.mebibytes.append(int(line.split()[1]) / 1024)
        return self.mebibytes[-1]

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Note a part of the run and its peak."""
        start, first = time.monotonic() - self.started, len(self.mebibytes)
        yield
        self.read()
        end = time.monotonic() - self.started
        self.phases.append((name, start, end, max(self.mebibytes[first:])))

    def stop(self) -> None:
        """End the thread."""
        self._is_over.set()
        self._thread.join()


def run(options: argparse.Namespace) -> None:
    """Compute, train, write table and figure.

    Raises:
        ValueError: too little space on the disk.
    """
    import keras  # only now: TensorFlow takes seconds to import
    import numpy as np
    import pandas as pd

    from zoo.data.clips import Clips
    from zoo.data.shards import ShardSettings
    from zoo.data.synthesis.collection import RenderedSource
    from zoo.progress import say
    from zoo.spectrogram import FrontEnd, Spectrogram

    keras.utils.set_random_seed(0)
    memory = Memory()
    count = options.clips

    class Noise(RenderedSource):
        def __init__(self) -> None:
            self.lengths = np.full(count, SAMPLES)

        def __getitem__(self, row: int) -> np.ndarray:
            return np.random.default_rng(row).standard_normal(SAMPLES, np.float32) * 0.1

    front = Spectrogram(
        FrontEnd(sample_rate_hz=RATE_HZ, window_s=0.016, hop_s=0.008, mels=64, padding="causal")
    )
    with memory.phase("index"):
        number = np.arange(count)
        index = pd.DataFrame({"path": number.astype(str), "start_s": np.nan, "end_s": np.nan})
        index["label"] = pd.Categorical((number % 10).astype(str))
        nothing = pd.DataFrame()
        names = tuple(str(k) for k in range(10))
        clips = Clips(index, Noise(), number, names, RATE_HZ, nothing, nothing)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        settings = ShardSettings(folder, repr(front.front_end), "float16", SHARD)
        with memory.phase("features into shards"):
            features = clips.with_features(front, batch_size=BATCH, shards=settings)
        shape = features.source[0].shape
        model = keras.Sequential(
            [
                keras.Input(shape),
                keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
                keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(10),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        data = features.dataset(BATCH, seed=0)
        for part in range(max(1, options.steps // STEPS_PER_PART)):
            steps = min(STEPS_PER_PART, options.steps)
            with memory.phase(f"training, steps {part * steps} to {(part + 1) * steps}"):
                model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)
        size = sum(path.stat().st_size for path in folder.rglob("*.shard"))
    memory.stop()
    write(options, memory, size, 4 * count * int(np.prod(shape)))
    say(f"{options.out}: peak {max(memory.mebibytes):,.0f} MiB")


def write(options: argparse.Namespace, memory: Memory, size: int, in_memory: int) -> None:
    """Write the table as Markdown, and the figure."""
    from zoo.report import Column, Table

    table = Table(
        [
            "part",
            *(Column(name, "s", ".0f") for name in ("from", "to")),
            Column("peak", "MiB", ",.0f"),
        ],
        memory.phases,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    text = (
        "# Training on a corpus that is larger than memory\n\n"
        f"`python -m recipes.benchmarks.large_corpus --clips {options.clips} --steps "
        f"{options.steps}`: features of {options.clips:,} clips, {size / 2**20:,.0f} MiB in "
        f"shards; in memory, as float32, they would take {in_memory / 2**20:,.0f} MiB. Batches of "
        f"{BATCH}.\n\n"
        f"{table.markdown()}\n"
    )
    files.write_text(options.out / "large_corpus.md", text)
    with files.writing(options.out / "large_corpus.png") as path:
        draw(memory).savefig(path)


def draw(memory: Memory) -> "Figure":
    """Memory over time, with the begin of the parts."""
    from zoo.plots.style import COLOURS, house_style, new_figure

    @house_style
    def drawn() -> "Figure":
        figure = new_figure(height_in=2.4)
        axes = figure.subplots()
        axes.plot(memory.seconds, memory.mebibytes, color=COLOURS[0])
        for name, start, _, _ in memory.phases[1:3]:
            axes.axvline(start, color=COLOURS[1], linewidth=0.8)
            axes.annotate(f" {name.split(',')[0]}", (start, 60), fontsize=7)
        axes.set(xlabel="time [s]", ylabel="resident memory [MiB]", ylim=(0, None))
        return figure

    return drawn()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    run(parser().parse_args(arguments))
    return 0


if __name__ == "__main__":
    command.run(main)
