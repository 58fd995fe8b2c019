"""Convolutional networks (AlexNet, residual, recurrent) from one frozen config that models carry.

    model = image_model(NETWORKS["alexnet"], (227, 227, 3), 1000)
    model = sound_model(NETWORKS["alexnet_gap"], [Spectrogram(front_end), Standardize()], 10)
    config_of(model), front_end_of(model)
    front, network = split_model(model)
    step = streaming_model(model)  # a causal one, hop by hop

`config` holds the settings and the registry of networks, `blocks` the layers, `network` builds a
model of them, `model` is what a model carries and how to get at it, `streaming` the twin that takes
one block of frames at a time, `table` lists layers with sizes, parameters and
multiply–accumulates, `tones` is a monotone detector of tones with a handful of weights, `restore`
opens models of old files.
"""

from zoo.convnets.config import NETWORKS, ConvNet
from zoo.convnets.model import (
    ConvNetModel,
    Task,
    config_of,
    embedding_model,
    front_end_of,
    last_float_layer_of,
    output_layer_of,
    spectrogram_of,
    split_model,
    standardize_of,
)
from zoo.convnets.network import image_model, sound_model
from zoo.convnets.pooling import MinPooling2D, RunningMean, TimeQuantile
from zoo.convnets.response import ResponseNormalisation
from zoo.convnets.restore import restore_config
from zoo.convnets.streaming import initial_states, streaming_model, streaming_network
from zoo.convnets.table import LayerRow, layer_rows, output_size
from zoo.convnets.tones import peak_model, tone_model

__all__ = [
    "NETWORKS",
    "ConvNet",
    "ConvNetModel",
    "LayerRow",
    "MinPooling2D",
    "ResponseNormalisation",
    "RunningMean",
    "Task",
    "TimeQuantile",
    "config_of",
    "embedding_model",
    "front_end_of",
    "image_model",
    "initial_states",
    "last_float_layer_of",
    "layer_rows",
    "output_layer_of",
    "output_size",
    "peak_model",
    "restore_config",
    "sound_model",
    "spectrogram_of",
    "split_model",
    "standardize_of",
    "streaming_model",
    "streaming_network",
    "tone_model",
]
