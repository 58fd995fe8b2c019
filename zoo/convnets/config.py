"""`ConvNet`, the settings of a convolutional network, and the registry `NETWORKS`."""

from dataclasses import asdict, dataclass, fields, replace
from math import prod
from typing import Any, Literal, Self

Pair = tuple[int, int]


@dataclass(frozen=True)
class ConvNet:
    """Settings of a convolutional network; the defaults are AlexNet (Krizhevsky et al. 2012).

    Every tuple but `dense` has one entry for each convolution; pairs are (rows, columns) of a
    picture or (time, frequency) of a spectrogram. A window of F over W places with P zeros on each
    side and stride S gives (W + 2 P - F) / S + 1 places, rounded down.

    Attributes:
        filters: output channels.
        kernels: size of the window, F.
        strides: of the window, S.
        paddings: zeros on each side, P.
        groups: number of groups of channels, each with its own filters; the original ran the
            halves of layers 2, 4 and 5 on two graphics cards.
        pools: (size, stride) of the max pooling behind a convolution, or None.
        separable: depthwise, then pointwise convolution (Howard et al. 2017), up to F^2 times
            cheaper than a full one.
        normalisation: "response", across neighbouring channels behind the first two convolutions,
            as in the original; "batch" (Ioffe and Szegedy 2015), behind every convolution; "none".
        residual: add the input to the output where their shapes are equal (He et al. 2016).
        dense: widths of the fully connected layers; empty: global average pooling instead. With
            `recurrent`, they act on each row by itself.
        recurrent: units of an LSTM over the rows, with an output for each row; 0: no LSTM, one
            output for the whole input.
        dropout: rate before each dense layer of `dense`; before the output layer where there is
            none or an LSTM.
        bands: parts of the frequency axis whose mean and absolute deviation over time the head
            takes for the global average, see `zoo.convnets.pooling.BandStatistics`; 0: none.
        causal: no output depends on later rows (time): F - S zeros before the first row. Causal
            networks can stream.

    Raises:
        ValueError: tuples of different lengths, or numbers out of range.
    """

    filters: tuple[int, ...] = (96, 256, 384, 384, 256)
    kernels: tuple[Pair, ...] = ((11, 11), (5, 5), (3, 3), (3, 3), (3, 3))
    strides: tuple[Pair, ...] = ((4, 4), (1, 1), (1, 1), (1, 1), (1, 1))
    paddings: tuple[Pair, ...] = ((0, 0), (2, 2), (1, 1), (1, 1), (1, 1))
    groups: tuple[int, ...] = (1, 1, 1, 1, 1)
    pools: tuple[Pair | None, ...] = ((3, 2), (3, 2), None, None, (3, 2))
    separable: tuple[bool, ...] = (False,) * 5
    normalisation: Literal["response", "batch", "none"] = "response"
    residual: bool = False
    dense: tuple[int, ...] = (4096, 4096)
    recurrent: int = 0
    dropout: float = 0.5
    causal: bool = False
    bands: int = 0

    def __post_init__(self) -> None:
        layers = len(self.filters)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple) and field.name != "dense" and len(value) != layers:
                raise ValueError(
                    f"`{field.name}` must have one entry a convolution, {layers} as `filters` has. "
                    f"Received: {len(value)}."
                )
        if layers < 1 or min(self.filters + self.dense + self.groups) < 1 or self.recurrent < 0:
            raise ValueError(
                "`filters`, `dense` and `groups` must be 1 or more, `recurrent` 0 or more. "
                f"Received: {self.filters}, {self.dense}, {self.groups}, {self.recurrent}."
            )
        if self.normalisation not in ("response", "batch", "none"):
            raise ValueError(
                "`normalisation` must be 'response', 'batch' or 'none'. "
                f"Received: {self.normalisation!r}."
            )
        if self.bands < 0 or (self.bands and (self.dense or self.recurrent or self.causal)):
            raise ValueError(
                "`bands` must be 0 or more, and 0 with dense layers, an LSTM or causal windows. "
                f"Received: {self.bands}."
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"`dropout` must lie in 0 to below 1. Received: {self.dropout}.")
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            if self.causal and kernel[0] < stride[0]:
                raise ValueError(
                    "A causal window must not be shorter than its stride in time. "
                    f"Received: kernel {kernel}, stride {stride}."
                )

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values, for a file."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The config that `get_config` gave, also after JSON has turned tuples into lists."""
        return cls(**{name: _tuples(value) for name, value in config.items()})

    @property
    def block(self) -> int:
        """Input rows for one row in front of the head."""
        return prod(stride[0] for stride in self.strides) * prod(
            pool[1] for pool in self.pools if pool
        )


def first_layers(config: ConvNet, count: int) -> ConvNet:
    """The first convolutions of a network, with the head that it has.

    Args:
        config: of the network.
        count: convolutions to keep.

    Raises:
        ValueError: none or more than there are.
    """
    if not 1 <= count <= len(config.filters):
        raise ValueError(
            f"`count` must lie between 1 and {len(config.filters)}, the number of convolutions. "
            f"Received: {count}."
        )
    parts = ("filters", "kernels", "strides", "paddings", "groups", "pools", "separable")
    return replace(config, **{name: getattr(config, name)[:count] for name in parts})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


# The same five convolutions over one-channel spectrograms. 64 bands need padding, and training from
# scratch needs batch normalisation in place of response normalisation.
_SPECTROGRAM = ConvNet(
    paddings=((5, 5), (2, 2), (1, 1), (1, 1), (1, 1)), normalisation="batch", dense=(4096, 4096)
)

# Full convolutions where few channels make them cheap or a stride follows, else separable ones;
# strides in place of poolings, which is a quarter of the work at the same accuracy. With the front
# end in float32, one file from waveform to probabilities stays below 128 kB in 8 bits.
_TINY = ConvNet(
    filters=(16, 24, 24, 48, 48, 80, 80),
    kernels=((5, 5), *((3, 3),) * 6),
    strides=((2, 2), (2, 2), (1, 1), (2, 2), (1, 1), (2, 2), (1, 1)),
    paddings=((2, 2), *((1, 1),) * 6),
    groups=(1,) * 7,
    pools=(None,) * 7,
    separable=(*(False,) * 4, True, False, True),
    normalisation="batch",
    residual=True,
    dense=(),
    dropout=0.2,
)

# The first blocks of it, with a head that keeps apart where in frequency something is.
_BANDS = replace(first_layers(_TINY, 5), bands=4)

# Causal, so that it streams; below 250 k parameters with an embedding of 256, and below 10 million
# multiply-accumulates a second of frames every 10 ms. Half of the weights are in the last layers,
# which see few places.
_EMBEDDING = ConvNet(
    filters=(16, 32, 32, 64, 64, 64, 144, 144, 144, 144, 256),
    kernels=((5, 5), *((3, 3),) * 9, (1, 1)),
    strides=((2, 2), (2, 2), (1, 1), (2, 2), (1, 1), (1, 1), (2, 2), *((1, 1),) * 4),
    paddings=((2, 2), *((1, 1),) * 9, (0, 0)),
    groups=(1,) * 11,
    pools=(None,) * 11,
    separable=(False, False, True, False, True, True, True, True, True, True, False),
    normalisation="batch",
    residual=True,
    dense=(),
    dropout=0.0,
    causal=True,
)

# Convolutional and recurrent, an output every hop: no stride in time, below 64 kB in 8 bits and
# 5 million multiply-accumulates a second at hops of 16 ms.
_CRNN_HOP = ConvNet(
    filters=(16, 24, 32, 48),
    kernels=((3, 5), *((3, 3),) * 3),
    strides=((1, 2), (1, 2), (1, 2), (1, 1)),
    paddings=((1, 2), *((1, 1),) * 3),
    groups=(1,) * 4,
    pools=(None,) * 4,
    separable=(False, True, True, True),
    normalisation="batch",
    dense=(32,),
    recurrent=32,
    dropout=0.2,
    causal=True,
)

NETWORKS = {
    "alexnet": ConvNet(),
    "alexnet_groups": ConvNet(groups=(1, 2, 1, 2, 2)),
    "alexnet_spectrogram": _SPECTROGRAM,
    # Narrower and without dense layers: below a million parameters. A smaller first window and half
    # the stride in frequency keep seven bands for the last convolutions.
    "alexnet_gap": replace(
        _SPECTROGRAM,
        filters=(32, 64, 128, 128, 128),
        kernels=((7, 5), (5, 5), (3, 3), (3, 3), (3, 3)),
        strides=((4, 2), *((1, 1),) * 4),
        paddings=((3, 2), (2, 2), (1, 1), (1, 1), (1, 1)),
        residual=True,
        dense=(),
        dropout=0.3,
    ),
    # Below 128 k parameters and 30 million multiply-accumulates a second.
    "residual_tiny": _TINY,
    "residual_bands": _BANDS,
    "residual_tiny_causal": replace(_TINY, causal=True),
    "residual_embedding": _EMBEDDING,
    "crnn_hop": _CRNN_HOP,
    # The same with more memory, still below 64 kB and 5 million a second.
    "crnn_hop_wide": replace(_CRNN_HOP, filters=(16, 32, 40, 56), dense=(48,), recurrent=48),
}
