"""AlexNet and its small relatives, all from one frozen config: pictures or spectrograms in.

    model = image_model(NETWORKS["alexnet"], (227, 227, 3), 1000)
    model = sound_model(NETWORKS["alexnet_gap"], [Spectrogram(front_end), Normalise()], 10)

`config` says what a network is, `network` builds it, `streaming` is its twin that takes a block of
frames at a time, `table` lists its layers with sizes, parameters and multiply-accumulates. `tones`
is another kind: a handful of weights that count tones.
"""

from zoo.convnets.config import NETWORKS, ConvNet
from zoo.convnets.network import front_and_network, image_model, sound_model
from zoo.convnets.response import ResponseNormalisation
from zoo.convnets.stepping import initial_states, streaming_model
from zoo.convnets.table import LayerRow, output_size, rows
from zoo.convnets.tones import tone_model

__all__ = [
    "NETWORKS",
    "ConvNet",
    "LayerRow",
    "ResponseNormalisation",
    "front_and_network",
    "image_model",
    "initial_states",
    "output_size",
    "rows",
    "sound_model",
    "streaming_model",
    "tone_model",
]
