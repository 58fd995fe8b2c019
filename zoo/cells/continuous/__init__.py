"""General cells in continuous time: the time step is a number that they are told.

`CfCCell` and `CoRNNCell` step through time; `LRUCell`, `MinGRUCell` and, without recurrence,
`LMUCell` are linear in their state, so that a whole sequence is trained by a scan
(`zoo.cells.scan`). Which of them agree with themselves when a step is cut is said in each.
"""

from zoo.cells.continuous.cfc import CfCCell
from zoo.cells.continuous.cornn import CoRNNCell
from zoo.cells.continuous.lmu import LMUCell, legendre_system
from zoo.cells.continuous.lru import LRUCell
from zoo.cells.continuous.mingru import MinGRUCell

__all__ = ["CfCCell", "CoRNNCell", "LMUCell", "LRUCell", "MinGRUCell", "legendre_system"]
