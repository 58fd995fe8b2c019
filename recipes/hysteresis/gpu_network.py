"""One network of PyTorch's cuDNN layers: its training step, and its weights in Keras' layout."""

from pathlib import Path
from typing import Any

import numpy as np

from recipes.hysteresis.gpu_settings import GpuSettings


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
                if self.cell == "gru":
                    kernel, recurrent, b_x, b_h = map(_swap_gates, (kernel, recurrent, b_x, b_h))
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
            if self.cell == "gru":
                kernel, recurrent, b_x, b_h = map(_swap_gates, (kernel, recurrent, b_x, b_h))
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


def _swap_gates(values: np.ndarray) -> np.ndarray:
    """Keras' gates of a GRU (update, reset, new) in PyTorch's order (reset, update, new), or back.

    Gates stand along the first axis, (3 · units, ...).
    """
    update, reset, new = np.split(values, 3)
    return np.concatenate([reset, update, new])
