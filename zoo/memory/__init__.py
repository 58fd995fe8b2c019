"""Why recurrent networks forget: Jacobians from step to step, their products, and gradients.

A model or a cell and a batch go in, arrays come out. `passes` follows the states, `StepJacobians`
differentiates every step, `zoo.memory.fading` says what becomes of their product,
`zoo.memory.paths` looks inside an LSTM, `zoo.memory.gradients` watches training.
"""

from zoo.memory.fading import log_bound, log_norms, lyapunov, singular_values, spectral_radius
from zoo.memory.jacobians import StepJacobians
from zoo.memory.passes import Pass, follow, passes

__all__ = [
    "Pass",
    "StepJacobians",
    "follow",
    "log_bound",
    "log_norms",
    "lyapunov",
    "passes",
    "singular_values",
    "spectral_radius",
]
