"""Train the gated stress models on a GPU with PyTorch's cuDNN layers, for `recipes.hysteresis`.

The loading is `zoo.data.broad`. PyTorch is no dependency of this project: the command needs it, a
CUDA device to be fast, and neither TensorFlow nor Keras. Each network is written in Keras' layout:

    python -m recipes.hysteresis.train_on_gpu --cells lstm gru rnn --minutes 5 --out runs/gpu
    python -m recipes.hysteresis --loading broad --weights runs/gpu/lstm.npz
"""

import argparse
import json
import math
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.cli.options import (
    file_to_read,
    folder_to_write,
    positive_float,
    positive_int,
    seed_number,
)
from zoo.data.broad import STEPS_S, broad, relative_weight
from zoo.data.maxwell import stress_response
from zoo.files import writing
from zoo.processes import end_with_parent
from zoo.progress import say

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
EXAMPLES = 4  # held-out paths whose prediction is kept with the weights


@dataclass(frozen=True)
class GpuSettings:
    """Budget and sizes of one run.

    Attributes:
        cells: networks to train side by side, of `GATES`.
        units: width of each of two layers.
        minutes: of training, wall clock.
        paths: of 200 steps to train on.
        long_paths: of 1,000 steps, for the memory of many short steps.
        batch: paths of 200 steps in a batch; a fourth as many of the long ones.
        long_every: every so many batches one is of long paths.
        learning_rate: at its peak; a warm-up of 2 %, then a cosine to zero, by the clock.
        workers: processes that simulate.
        small_rms: see `zoo.data.broad.relative_weight`.
        start: files of an earlier run to go on from, one a cell; none: initial weights.
        seed: of paths and weights.
    """

    cells: tuple[str, ...] = ("lstm", "gru", "rnn")
    units: int = 32
    minutes: float = 5.0
    paths: int = 320_000
    long_paths: int = 32_000
    batch: int = 1024
    long_every: int = 8
    learning_rate: float = 5e-3
    workers: int = 1
    small_rms: float = 0.01
    start: tuple[Path, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """Arrays of one split: features (paths, time, 5), stress and weight (paths, time)."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray


def simulate(
    paths: int, steps: int, dt_range: tuple[float, float], small_rms: float, seed: int, k: int
) -> Data:
    """One part of a split: broad loading, its exact stress, the features of `Increments`."""
    rng = np.random.default_rng([seed, steps, k])
    loading = broad(rng, paths, steps, dt_range)
    stress = stress_response(loading.rate, loading.dt)
    x = loading.x
    features = np.concatenate([x, x[..., 1:2] * x[..., 2:3], np.log(x[..., 2:3])], axis=-1)
    return Data(features, stress.astype(np.float32), relative_weight(stress, small_rms=small_rms))


def make_data(
    paths: int, steps: int, dt_range: tuple[float, float], settings: GpuSettings, seed: int
) -> Data:
    """A split, simulated in parts by several processes."""
    part = min(paths, 2000)
    count = math.ceil(paths / part)
    jobs = [(part, steps, dt_range, settings.small_rms, seed, k) for k in range(count)]
    pool = ProcessPoolExecutor(
        settings.workers, initializer=end_with_parent, initargs=(os.getpid(),)
    )
    with pool:
        parts = list(pool.map(simulate, *zip(*jobs, strict=True)))
    return Data(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("x", "y", "weight")))


class Trainer:
    """One network, its optimiser and one CUDA graph of a training step for each batch shape.

    `loss` is the running mean of the training loss.
    """

    def __init__(self, cell: str, settings: GpuSettings, scaling: dict[str, Any], device: Any):
        import torch  # pyright: ignore[reportMissingImports]  # no dependency of this project

        self.torch, self.cell, self.device, self.scaling = torch, cell, device, scaling
        torch.manual_seed(settings.seed)
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
        self.rnn = kind(5, settings.units, num_layers=2, batch_first=True).to(device)
        self.readout = torch.nn.Linear(settings.units, 1).to(device)
        self.parameters = [*self.rnn.parameters(), *self.readout.parameters()]
        self._initialize(settings.units)
        self.rate = torch.tensor(1e-4, device=device)
        on_gpu = device.type == "cuda"
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=self.rate, capturable=on_gpu, fused=on_gpu
        )
        self.stream = torch.cuda.Stream() if on_gpu else None
        self.graphs: dict[tuple[int, ...], Any] = {}
        self.loss = torch.zeros((), device=device)

    def _initialize(self, units: int) -> None:
        """Keras' initial weights: Glorot, orthogonal, a forget bias of 1; strain itself unused."""
        init = self.torch.nn.init
        with self.torch.no_grad():
            for name, values in self.rnn.named_parameters():
                if "bias" in name:
                    values.zero_()
                    if self.cell == "lstm" and "ih" in name:
                        values[units : 2 * units] = 1.0
                elif "ih" in name:
                    init.xavier_uniform_(values)
                else:
                    for gate in values.split(units):
                        init.orthogonal_(gate)
            init.xavier_uniform_(self.readout.weight)
            self.readout.bias.zero_()
            self._drop_strain()

    def _drop_strain(self) -> None:
        """Strain enters by its increments alone, so that any starting point gives one answer."""
        self.rnn.weight_ih_l0[:, 0] = 0.0

    def predict(self, x: Any) -> Any:
        """Standardized features (batch, time, 5) -> standardized stress (batch, time)."""
        return self.readout(self.rnn(x)[0])[..., 0]

    def _step(self, x: Any, y: Any, weight: Any) -> None:
        self.optimizer.zero_grad(set_to_none=False)
        loss = (weight * (self.predict(x) - y).square()).mean()
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.parameters, 1.0, foreach=True)
        self.optimizer.step()
        with self.torch.no_grad():
            self._drop_strain()
            self.loss.lerp_(loss.detach(), 0.01)

    def step(self, batch: tuple[Any, ...], learning_rate: float) -> None:
        """One step of Adam; on a GPU replayed as a graph, on a stream of its own."""
        if self.stream is None:
            self.rate.fill_(learning_rate)
            self._step(*batch)
            return
        torch, shape = self.torch, tuple(batch[0].shape)
        with torch.cuda.stream(self.stream):
            if shape not in self.graphs:
                self.rate.fill_(1e-5)
                buffers = tuple(values.clone() for values in batch)
                for _ in range(3):
                    self._step(*buffers)
                torch.cuda.synchronize()
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=self.stream):
                    self._step(*buffers)
                self.graphs[shape] = (graph, buffers)
            graph, buffers = self.graphs[shape]
            for buffer, values in zip(buffers, batch, strict=True):
                buffer.copy_(values)
            self.rate.fill_(learning_rate)
            graph.replay()

    def validate(self, data: tuple[Any, ...]) -> float:
        """Weighted mean square error, 1 where the stress is taken for zero, as in training."""
        torch = self.torch
        with torch.no_grad():
            total = 0.0
            for start in range(0, len(data[0]), 1000):
                x, y, weight = (values[start : start + 1000] for values in data)
                total += float((weight * (self.predict(x) - y).square()).mean()) * len(x)
        return total / len(data[0])

    def start_from(self, path: Path) -> None:
        """Take over the weights of an earlier run, whose scaling `train` has taken over already."""
        torch = self.torch
        with np.load(path, allow_pickle=False) as file, torch.no_grad():
            for k in range(2):
                kernel, recurrent, bias = (
                    file[f"{name}_{k}"].T for name in ("kernel", "recurrent", "bias")
                )
                b_x, b_h = (bias[:, 0], bias[:, 1]) if self.cell == "gru" else (bias, 0 * bias)
                if self.cell == "gru":  # update, reset, new -> reset, update, new
                    kernel, recurrent, b_x, b_h = (
                        np.concatenate([each[1], each[0], each[2]])
                        for each in (np.split(v, 3) for v in (kernel, recurrent, b_x, b_h))
                    )
                for name, values in (
                    ("weight_ih", kernel),
                    ("weight_hh", recurrent),
                    ("bias_ih", b_x),
                    ("bias_hh", b_h),
                ):
                    target = getattr(self.rnn, f"{name}_l{k}")
                    target.copy_(torch.from_numpy(np.ascontiguousarray(values)))
            self.readout.weight.copy_(torch.from_numpy(file["readout_kernel"].T))
            self.readout.bias.copy_(torch.from_numpy(file["readout_bias"]))

    def keras_weights(self) -> dict[str, np.ndarray]:
        """Weights in Keras' layout: kernel_k, recurrent_k, bias_k, readout_kernel, readout_bias."""
        values = {n: p.detach().cpu().numpy() for n, p in self.rnn.named_parameters()}
        weights = {}
        for k in range(2):
            kernel, recurrent, b_x, b_h = (
                values[f"{name}_l{k}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            if self.cell == "gru":  # reset, update, new -> update, reset, candidate
                kernel, recurrent, b_x, b_h = (
                    np.concatenate([each[1], each[0], each[2]])
                    for each in (np.split(v, 3) for v in (kernel, recurrent, b_x, b_h))
                )
            weights[f"kernel_{k}"], weights[f"recurrent_{k}"] = kernel.T, recurrent.T
            weights[f"bias_{k}"] = np.stack([b_x, b_h]) if self.cell == "gru" else b_x + b_h
        weights["readout_kernel"] = self.readout.weight.detach().cpu().numpy().T
        weights["readout_bias"] = self.readout.bias.detach().cpu().numpy()
        return weights | {name: np.asarray(v, np.float64) for name, v in self.scaling.items()}

    def example(self, x: Any) -> dict[str, np.ndarray]:
        """Input (batch, time, 3) and stress (batch, time) of some paths, to check a copy with."""
        with self.torch.no_grad():
            stress = self.predict(x).cpu().numpy() * self.scaling["y_std"][0]
        raw = x.cpu().numpy() * self.scaling["x_std"] + self.scaling["x_mean"]
        return {"example_x": raw[..., :3].astype(np.float32), "example_stress": stress}


def train(settings: GpuSettings, out: Path) -> None:
    """Train every cell for the same time, side by side, and write `out`/CELL.npz."""
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
    some = short.x[:20_000].reshape(-1, short.x.shape[-1])
    mean, std = some.mean(axis=0, dtype=np.float64), some.std(axis=0, dtype=np.float64)
    y_std = float(short.y.std())
    for path in settings.start[:1]:
        with np.load(path, allow_pickle=False) as file:
            mean, std, y_std = file["x_mean"], file["x_std"], float(file["y_std"][0])
    scaling = {"x_mean": mean, "x_std": std, "y_mean": [0.0], "y_std": [y_std]}

    def on_device(data: Data) -> tuple[Any, ...]:
        x = ((data.x - mean) / std).astype(np.float32)
        y = data.y / y_std
        weight = data.weight / np.mean(data.weight * np.square(y), dtype=np.float64)
        return tuple(torch.from_numpy(v.astype(np.float32)).to(device) for v in (x, y, weight))

    data, long_data, validation = on_device(short), on_device(long), on_device(held_out)
    say(f"{name}: data ready in {time.monotonic() - started:.0f} s")
    trainers = [Trainer(cell, settings, scaling, device) for cell in settings.cells]
    for trainer, path in zip(trainers, settings.start, strict=False):
        trainer.start_from(path)
    generator = torch.Generator(device=device).manual_seed(settings.seed)
    begin, step, last_line_s, history = time.monotonic(), 0, 0.0, []
    limit = 60 * settings.minutes
    while (elapsed := time.monotonic() - begin) < limit:
        share = elapsed / limit
        warm = min(1.0, share / 0.02)
        rate = settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * share))
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
            losses = {t.cell: t.validate(validation) for t in trainers}
            training = {f"{t.cell}_loss": float(t.loss) for t in trainers}
            point = {"seconds": elapsed, "steps": step, "learning_rate": rate}
            history.append({**point, **losses, **training})
            shown = ", ".join(f"{cell} {math.sqrt(loss):.4f}" for cell, loss in losses.items())
            say(f"{elapsed:.0f} s, {step} steps, held-out error {shown}")
            if len(history) % 5 == 0:
                write(out, trainers, settings, history, name, validation[0][:EXAMPLES])
    write(out, trainers, settings, history, name, validation[0][:EXAMPLES])


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
    sys.exit(main())
