"""The same training steps in torch."""

import importlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from recipes.benchmarks.gpu.jobs import Row, Sizes, Step, random_paths, random_pictures


def rows(sizes: Sizes, deterministic: bool) -> Iterator[Row]:
    """Rows of `torch.nn.LSTM` and of AlexNet."""
    torch = importlib.import_module("torch")  # optional
    torch.use_deterministic_algorithms(deterministic)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for units in sizes.units:
        what = f"LSTM 2x{units}, training step"
        build = partial(_lstm, torch, device, units, sizes)
        yield Row(what, "torch.nn.LSTM, outputs", sizes.batch, build)
    build = partial(_alexnet, torch, device, sizes)
    yield Row("AlexNet, training step", "torch", sizes.pictures, build)


def _lstm(torch: Any, device: str, units: int, sizes: Sizes) -> Step:
    x, y = (torch.from_numpy(each).to(device) for each in random_paths(sizes))
    layer = torch.nn.LSTM(3, units, 2, batch_first=True).to(device)
    readout = torch.nn.Linear(units, 1).to(device)
    weights = [*layer.parameters(), *readout.parameters()]

    def loss() -> Any:
        return torch.nn.functional.mse_loss(readout(layer(x)[0]), y)

    return _training_step(torch, weights, loss)


def _alexnet(torch: Any, device: str, sizes: Sizes) -> Step:
    x, y = (torch.from_numpy(each).to(device) for each in random_pictures(sizes))
    x = x.permute(0, 3, 1, 2).contiguous()
    nn, channels, layers = torch.nn, 3, []
    for k, (width, window, stride) in enumerate(
        ((96, 11, 4), (256, 5, 1), (384, 3, 1), (384, 3, 1), (256, 3, 1))
    ):
        pad = 0 if k == 0 else window // 2
        layers += [nn.Conv2d(channels, width, window, stride, pad), nn.ReLU()]
        layers += [nn.MaxPool2d(3, 2)] if k in (0, 1, 4) else []
        channels = width
    layers += [nn.Flatten()]
    for _ in range(2):
        layers += [nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(0.5)]
    network = nn.Sequential(*layers, nn.LazyLinear(1000)).to(device)
    network(x[:1])  # makes the weights

    def loss() -> Any:
        return nn.functional.cross_entropy(network(x), y)

    return _training_step(torch, list(network.parameters()), loss)


def _training_step(torch: Any, weights: Any, loss_of: Any) -> Step:
    optimizer = torch.optim.Adam(weights, 1e-4)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step
