"""Memory of recurrent networks: state Jacobians, their products, gates and gradients.

`inspect_model` analyses a saved model layer by layer. Its parts take a model or a cell and a batch
and return arrays: `record_states` runs a model and keeps the states of every recurrent layer,
`StepJacobians` differentiates every step, `zoo.memory.fading` computes norms, spectra and Lyapunov
exponents of the Jacobian products, `zoo.memory.lstm` the gates of an LSTM, and
`zoo.memory.gradients` records gradient norms during training. All of it runs on TensorFlow.
"""

from zoo.memory.fading import (
    log_bound,
    log_norms,
    lyapunov_exponents,
    singular_values,
    spectral_radius,
)
from zoo.memory.inspection import LayerMemory, ModelMemory, analyse_layer, inspect_model
from zoo.memory.jacobians import StepJacobians
from zoo.memory.states import LayerStates, record_states, run_cell

__all__ = [
    "LayerMemory",
    "LayerStates",
    "ModelMemory",
    "StepJacobians",
    "analyse_layer",
    "inspect_model",
    "log_bound",
    "log_norms",
    "lyapunov_exponents",
    "record_states",
    "run_cell",
    "singular_values",
    "spectral_radius",
]
