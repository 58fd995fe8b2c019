"""Recurrent cells whose states, gates and internal variables can be seen.

Every cell is a named state, a pure step and a thin Keras layer on the RNN cell API. See
`zoo.cells.visible` for what a cell must offer, `zoo.cells.gated` for SimpleRNN, GRU and LSTM,
`zoo.cells.material` for cells that obey mechanics.
"""

from zoo.cells.gated import GRUCell, LSTMCell, SimpleRNNCell
from zoo.cells.material import LMSCCell, MaxwellCell, PronyCell, RelaxationCell
from zoo.cells.visible import VisibleCell

__all__ = [
    "GRUCell",
    "LMSCCell",
    "LSTMCell",
    "MaxwellCell",
    "PronyCell",
    "RelaxationCell",
    "SimpleRNNCell",
    "VisibleCell",
]
