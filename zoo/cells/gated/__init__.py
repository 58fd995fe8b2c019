"""Gated recurrent cells: LSTM and GRU, each the Keras cell of the same name with named quantities.

Arguments, weights, initializers, regularizers and dropout are inherited, so weights can be copied
both ways by `set_weights(layer.get_weights())`. What is ours is the step, a pure function of
input, state and weights, and the choice of quantities to emit.
"""

from zoo.cells.gated.gru import GRUCell, GRUGates, GRUState, gru_step
from zoo.cells.gated.lstm import LSTMCell, LSTMGates, LSTMState, lstm_step

__all__ = [
    "GRUCell",
    "GRUGates",
    "GRUState",
    "LSTMCell",
    "LSTMGates",
    "LSTMState",
    "gru_step",
    "lstm_step",
]
