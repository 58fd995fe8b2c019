"""Networks of `zoo.presets` by name: their layers, parameters and multiply-accumulates."""

from dataclasses import dataclass

import keras

from zoo import presets
from zoo.convnets import LayerRow, layer_rows
from zoo.data import hysteresis
from zoo.report import Column, Table


@dataclass(frozen=True)
class Network:
    """Numbers of one network.

    Attributes:
        name: of the preset.
        description: one sentence with its source; empty for convolutional networks.
        parameters: trained and kept ones.
        macs: multiply-accumulates of one clip; None for networks of stress histories.
        duration_s: length of the clip of sound [s]; None for pictures and stress.
        layers: in order; empty for networks of stress histories, whose length is free.
    """

    name: str
    description: str
    parameters: int
    macs: int | None
    duration_s: float | None
    layers: list[LayerRow]

    def text(self) -> str:
        """Table of the layers and a line of sums."""
        parts = [f"{self.name}: {self.description}"] if self.description else []
        if self.layers:
            parts.append(self.table().text().rstrip())
        sums = f"{self.parameters:,} parameters"
        if self.macs is not None:
            sums += f", {self.macs / 1e6:,.1f} million multiply-accumulates"
            if self.duration_s:
                rate = self.macs / self.duration_s / 1e6
                sums += f", {rate:,.1f} million a second of sound, without the front end"
        return "\n\n".join([*parts, sums])

    def table(self) -> Table:
        """A row a layer: window, stride, output shape, parameters, multiply-accumulates."""
        columns = [
            *("layer", "kind", "window", "stride", "output"),
            Column("parameters", number=",d"),
            Column("multiply-accumulates", number=",d"),
        ]
        cells = [
            [
                layer.name,
                layer.kind,
                *map(_sizes, (layer.window, layer.stride, layer.output)),
                layer.parameters or None,
                layer.macs,
            ]
            for layer in self.layers
        ]
        return Table(columns, cells, "Output: (W + 2 P - F) / S + 1 places, then channels")


def network_names() -> list[str]:
    """Names of all networks that `describe_network` knows."""
    return [*presets.PICTURES, *presets.SOUNDS, *presets.NAMES]


def describe_network(
    name: str, classes: int | None = None, rate_hz: float = 32_000, duration_s: float = 5.0
) -> Network:
    """Build a network and list its layers.

    Args:
        name: one of `network_names`.
        classes: of a classifier; None: 1000 for pictures, 10 for sound.
        rate_hz: sample rate of sound [Hz].
        duration_s: length of a clip of sound [s].

    Raises:
        ValueError: an unknown name, or a clip that is too short for the network.
    """
    if name in presets.PICTURES:
        return _classifier(name, presets.picture(name, classes or 1000), None)
    if name in presets.SOUNDS:
        model = presets.sound(name, classes or 10, sample_rate_hz=rate_hz, duration_s=duration_s)
        return _classifier(name, model, duration_s)
    if name not in presets.NAMES:
        raise ValueError(f"`name` must be one of {', '.join(network_names())}. Received: {name!r}.")
    preset = presets.named(name)
    data = hysteresis.split("walk", paths=2, seed=0)
    model = preset.build(data.x, data.y, None)
    description = f"{preset.description} ({preset.source})"
    return Network(name, description, model.count_params(), None, None, [])


def _classifier(name: str, model: keras.Model, duration_s: float | None) -> Network:
    layers = layer_rows(model)
    macs = sum(layer.macs or 0 for layer in layers)
    return Network(name, "", model.count_params(), macs, duration_s, layers)


def _sizes(shape: tuple[int | None, ...] | None) -> str | None:
    return " × ".join(map(str, shape)) if shape else None
