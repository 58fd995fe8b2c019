"""Cells over time: sequence models with every state as a named output, and one-step twins.

`layers` has the RNN layer that returns named quantities and the features of a time step, `scaling`
the statistics of the training data, `model` stacks cells into a model, `views` builds other models
on the same weights: with other outputs, one step at a time, out of Keras' own layers.
"""

from zoo.recurrent.from_plain import is_plain, visible_model
from zoo.recurrent.layers import Increments, VisibleRNN, fused_graphs
from zoo.recurrent.model import RecurrentModel, recurrent_layers, recurrent_model, restore_recurrent
from zoo.recurrent.scaling import Scaling, input_scaling, output_scaling
from zoo.recurrent.views import plain_model, predictor, step_model, view

__all__ = [
    "Increments",
    "RecurrentModel",
    "Scaling",
    "VisibleRNN",
    "fused_graphs",
    "input_scaling",
    "is_plain",
    "output_scaling",
    "plain_model",
    "predictor",
    "recurrent_layers",
    "recurrent_model",
    "restore_recurrent",
    "step_model",
    "view",
    "visible_model",
]
