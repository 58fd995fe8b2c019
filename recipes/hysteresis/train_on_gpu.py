"""Train the gated stress models on a GPU with PyTorch's cuDNN layers, for `recipes.hysteresis`.

The loading is `zoo.data.broad`. PyTorch is no dependency of this project: the command needs it, a
CUDA device to be fast, and neither TensorFlow nor Keras. Each network is written in Keras' layout:

    python -m recipes.hysteresis.train_on_gpu --cells lstm gru rnn --minutes 5 --out runs/gpu
    python -m recipes.hysteresis --loading broad --weights runs/gpu/lstm.npz
"""

import argparse
import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recipes.hysteresis.gpu_data import Data, make_data
from recipes.hysteresis.gpu_network import Trainer
from recipes.hysteresis.gpu_settings import GATES, GpuSettings
from zoo.cli import command
from zoo.cli.options import (
    file_to_read,
    folder_to_write,
    positive_float,
    positive_int,
    seed_number,
)
from zoo.data.broad import STEPS_S
from zoo.files import writing
from zoo.progress import say

EXAMPLES = 4  # held-out paths whose prediction is kept with the weights


def train(settings: GpuSettings, out: Path) -> None:
    """Train every cell for the same time, side by side, and write `out`/CELL.npz.

    Args:
        settings: budget and sizes.
        out: folder of the files.

    Raises:
        OSError: a file of `settings.start` cannot be read, or one of `out` not written.
    """
    import torch  # pyright: ignore[reportMissingImports]  # no dependency of this project

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    short = make_data(settings.paths, 200, STEPS_S, settings, settings.seed)
    long = make_data(settings.long_paths, 1000, (0.002, 0.02), settings, settings.seed)
    held_out = make_data(2000, 200, STEPS_S, settings, settings.seed + 1)
    scaling = _scaling(short, settings.start)
    data, long_data, validation = (
        _on_device(split, scaling, device) for split in (short, long, held_out)
    )
    say(f"{name}: data ready in {time.monotonic() - started:.0f} s")
    trainers = [Trainer(cell, settings, scaling, device) for cell in settings.cells]
    for trainer, path in zip(trainers, settings.start, strict=False):
        trainer.start_from(path)
    generator = torch.Generator(device=device).manual_seed(settings.seed)
    begin, step, last_line_s, history = time.monotonic(), 0, 0.0, []
    limit = 60 * settings.minutes

    def note(elapsed: float, rate: float) -> None:
        """Add the present weights' errors to the history."""
        losses = {t.cell: t.validate(validation) for t in trainers}
        training = {f"{t.cell}_loss": float(t.loss) for t in trainers}
        point = {"seconds": elapsed, "steps": step, "learning_rate": rate}
        history.append({**point, **losses, **training})
        shown = ", ".join(f"{cell} {math.sqrt(loss):.4f}" for cell, loss in losses.items())
        say(f"{elapsed:.0f} s, {step} steps, held-out error {shown}")

    while (elapsed := time.monotonic() - begin) < limit:
        rate = _learning_rate(settings, elapsed / limit)
        is_long = step % settings.long_every == settings.long_every - 1
        source = long_data if is_long else data
        count = settings.batch // 4 if is_long else settings.batch
        index = torch.randint(len(source[0]), (count,), device=device, generator=generator)
        batch = tuple(values[index] for values in source)
        if device.type == "cuda":
            torch.cuda.current_stream().synchronize()
        for trainer in trainers:
            trainer.step(batch, rate)
        for trainer in trainers:
            if trainer.stream is not None:
                trainer.stream.synchronize()
        step += 1
        if elapsed - last_line_s > limit / 30:
            last_line_s = elapsed
            note(elapsed, rate)
            if len(history) % 5 == 0:
                write(out, trainers, settings, history, name, validation[0][:EXAMPLES])
    note(elapsed, 0.0)  # of the weights that are written
    write(out, trainers, settings, history, name, validation[0][:EXAMPLES])


def _learning_rate(settings: GpuSettings, share: float) -> float:
    """Learning rate after a share of the time: a warm-up of 2 %, then a cosine to zero."""
    warm = min(1.0, share / 0.02)
    return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * share))


def _scaling(data: Data, start: tuple[Path, ...]) -> dict[str, Any]:
    """Mean and deviation of features and stress; those of an earlier run that is gone on from."""
    some = data.x[:20_000].reshape(-1, data.x.shape[-1])
    mean, std = some.mean(axis=0, dtype=np.float64), some.std(axis=0, dtype=np.float64)
    y_std = float(data.y.std())
    for path in start[:1]:
        with np.load(path, allow_pickle=False) as file:
            mean, std, y_std = file["x_mean"], file["x_std"], float(file["y_std"][0])
    return {"x_mean": mean, "x_std": std, "y_mean": [0.0], "y_std": [y_std]}


def _on_device(data: Data, scaling: dict[str, Any], device: Any) -> tuple[Any, ...]:
    """Standardized features, stress and weight as tensors; the zero stress has a loss of 1."""
    import torch  # pyright: ignore[reportMissingImports]  # no dependency of this project

    x = ((data.x - scaling["x_mean"]) / scaling["x_std"]).astype(np.float32)
    y = data.y / scaling["y_std"][0]
    weight = data.weight / np.mean(data.weight * np.square(y), dtype=np.float64)
    return tuple(torch.from_numpy(v.astype(np.float32)).to(device) for v in (x, y, weight))


def write(
    out: Path,
    trainers: list[Trainer],
    settings: GpuSettings,
    history: list[dict[str, float]],
    device: str,
    examples: Any,
) -> None:
    """Write the weights of every network, and how they came about."""
    for trainer in trainers:
        entry = {
            "cell": trainer.cell,
            "device": device,
            "framework": f"PyTorch {trainer.torch.__version__}",
            "optimizer_steps": history[-1]["steps"],
            "history": history,
            "settings": asdict(settings),
        }
        content = np.frombuffer(json.dumps(entry, default=str).encode(), np.uint8)
        arrays = trainer.keras_weights() | trainer.example(examples)
        with writing(out / f"{trainer.cell}.npz") as path:
            np.savez(path, training=content, **arrays)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = GpuSettings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hysteresis.train_on_gpu", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--cells", nargs="+", choices=tuple(GATES), default=list(default.cells))
    counts = ("units", "paths", "long_paths", "batch", "long_every", "workers")
    numbers = ("minutes", "learning_rate", "small_rms")
    for name in (*counts, *numbers, "seed"):
        kind = (
            positive_int if name in counts else positive_float if name in numbers else seed_number
        )
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=getattr(default, name)
        )
    parser.add_argument("--start", nargs="+", type=file_to_read, default=[], metavar="FILE")
    parser.add_argument("--out", type=folder_to_write, default=Path("runs/gpu"))
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Read the options and train; returns the exit code."""
    options = vars(parser().parse_args(arguments))
    out, cells, start = options.pop("out"), options.pop("cells"), options.pop("start")
    train(GpuSettings(cells=tuple(cells), start=tuple(start), **options), out)
    return 0


if __name__ == "__main__":
    command.run(main)
