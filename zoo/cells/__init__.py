"""Recurrent cells whose states, gates and internal variables can be read by name.

Every cell is a named state, a pure step and a thin Keras layer on the RNN cell API; see
`zoo.cells.visible` for what a cell must have. `zoo.cells.gated` has the LSTM and the GRU,
`zoo.cells.elman` the simple recurrent network, `zoo.cells.continuous` general cells that take the
time step, `zoo.cells.material` cells that obey mechanics.
All of them run on TensorFlow, JAX and torch.
"""

from zoo.cells.continuous import CfCCell, CoRNNCell, LMUCell, LRUCell, MinGRUCell
from zoo.cells.elman import SimpleRNNCell
from zoo.cells.gated import GRUCell, LSTMCell
from zoo.cells.material import (
    BoucWenCell,
    BoucWenOscillatorCell,
    ChabocheCell,
    CovariateCell,
    DamperCell,
    DynamicPrandtlCell,
    EMSCCell,
    LMSCCell,
    MaxwellCell,
    MullinsCell,
    PrandtlIshlinskiiCell,
    PronyCell,
    RelaxationCell,
    SolidCell,
    StandardCell,
    StateSpaceCell,
)
from zoo.cells.visible import VisibleCell

__all__ = [
    "BoucWenCell",
    "BoucWenOscillatorCell",
    "CfCCell",
    "ChabocheCell",
    "CoRNNCell",
    "CovariateCell",
    "DamperCell",
    "DynamicPrandtlCell",
    "EMSCCell",
    "GRUCell",
    "LMSCCell",
    "LMUCell",
    "LRUCell",
    "LSTMCell",
    "MaxwellCell",
    "MinGRUCell",
    "MullinsCell",
    "PrandtlIshlinskiiCell",
    "PronyCell",
    "RelaxationCell",
    "SimpleRNNCell",
    "SolidCell",
    "StandardCell",
    "StateSpaceCell",
    "VisibleCell",
]
