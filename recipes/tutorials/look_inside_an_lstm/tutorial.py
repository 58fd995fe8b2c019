"""Tutorial: look inside an LSTM that predicts the stress of a material with memory.

Run it with `python -m recipes.tutorials.look_inside_an_lstm`; it takes about a minute, prints its
results and writes its figures to runs/tutorials/look_inside_an_lstm/. Read it from top to bottom:
every section is one function, and `run` at the end calls them in this order.

The material is a Maxwell solid with power-law viscosity, dσ/dt = E dε/dt − (σ/ν0) |σ/σ0|^(m−1): its
stress σ depends on the whole history of the strain ε. A network that predicts it needs a memory.
An LSTM has one, its cell state C, and gates that decide what is written, kept and read:

    C_t = f_t C_{t−1} + i_t g_t        h_t = o_t tanh(C_t)

with the forget gate f, input gate i, output gate o and candidate g.
"""

from pathlib import Path

import keras
import numpy as np

import zoo
from recipes.tutorials.common import save_figure
from zoo import plots, presets, training
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.data.split import Split
from zoo.memory import StepJacobians, inspect_model, log_norms, lstm, record_states
from zoo.metrics.regression import nrmse
from zoo.recurrent import predictor, step_model, view

UNITS = 16
BATCH_SIZE = 32

# 1. Data
# -------
# The simulator is exact, so there is as much data as we like. A path is a sequence of 200 time
# steps; the network reads three numbers at every step, the strain ε [-] at its end, the strain
# rate dε/dt [1/s] and the time step Δt [s], and predicts the stress σ [MPa] at its end.
#
# `walk` paths move at random between turning points, each path with a time step of its own. The
# network is trained on them, and tested on others: new walks, and sine waves and ramps with a hold,
# which are different from all training paths.


def make_data(quick: bool) -> tuple[Split, dict[str, Split]]:
    """Training paths, and test paths by name."""
    train = hysteresis.split("walk", paths=100 if quick else 2000, seed=0)
    names = ("walk", "sine", "relaxation")
    tests = {name: hysteresis.split(name, paths=20 if quick else 100, seed=1) for name in names}
    print(f"x of the training paths: {train.x.shape} = (paths, time, features)")
    for quantity in (*train.inputs, *train.targets):
        print(f"  {quantity.name} [{quantity.unit}]: {quantity.meaning}")
    return train, tests


# 2. Training
# -----------
# A preset is a recipe for a model: `build` takes the data because the model carries their scaling,
# so it reads and predicts physical units. All hidden and cell states are outputs of the model, next
# to the prediction.


def train_lstm(train: Split, quick: bool) -> keras.Model:
    """A small LSTM after a short training."""
    keras.utils.set_random_seed(0)
    model = presets.recurrent("lstm", layers=1, units=UNITS).build(train.x, train.y)
    print(f"LSTM with {UNITS} units, {model.count_params():,} parameters")
    print(f"outputs: {', '.join(model.output)}")
    training.fit(
        model,
        lambda step: train.dataset(BATCH_SIZE, seed=0, start_step=step),
        None,
        training.Budget(epochs=2 if quick else 10, steps_per_epoch=4 if quick else 120),
        training.FitSettings({"prediction": "mse"}, loss_scale=float(train.y.var())),
    )
    return model


# 3. Prediction
# -------------
# The error is the root mean square error over the root mean square stress (nRMSE). It is smallest
# on new walks; `relaxation`, a fast ramp and a long hold, is different from all training paths. The
# shipped model has two layers of 32 units and was trained for 160 epochs: the same architecture,
# more patience.


def compare_predictions(model: keras.Model, tests: dict[str, Split], folder: Path) -> None:
    """Print the error on every test split, and draw one loop of each."""
    predict = predictor(model)
    shipped = zoo.load("hysteresis-lstm")
    print("nRMSE          this network   hysteresis-lstm")
    loops = {}
    for name, data in tests.items():
        predicted = predict(data.x)
        reference = shipped.predict(x=data.x)["prediction"]
        print(f"  {name:12} {nrmse(data.y, predicted):12.3f} {nrmse(data.y, reference):17.4f}")
        loops[name] = plots.Loop(data.x[2, :, 0], data.y[2, :, 0], predicted[2, :, 0])
    save_figure(plots.loops(loops, model="LSTM"), folder / "1_loops.png")


# 4. States and gates
# -------------------
# `view` makes a copy of the model, on the same weights, that also emits the gates: every quantity
# that a cell computes has a name. We load two triangular cycles and look at all units at once: one
# row is one unit, the same in every map. Blue and red are negative and positive states; orange is a
# closed gate, purple an open one. Vertical lines mark where the loading turns: the states of a
# material model turn there as well.


def draw_states(model: keras.Model, cycle: Split, folder: Path) -> None:
    """Heat maps of states and gates below strain and predicted stress."""
    outputs = view(model, show=lambda cell: list(cell.visible))(cycle.x)
    states = {
        name: np.asarray(outputs[f"{name}_0"])[0]  # (time, units)
        for name in ("cell", "hidden", "candidate", "forget", "input", "output")
    }
    figure = plots.states_over_time(
        np.cumsum(cycle.x[0, :, 2]),
        plots.Trace(cycle.x[0, :, 0], "strain ε [-]"),
        plots.Trace(np.asarray(outputs["prediction"])[0, :, 0], "predicted stress σ [MPa]"),
        states,
    )
    save_figure(figure, folder / "2_states_and_gates.png")


# 5. How long does it remember?
# -----------------------------
# The influence of the state k steps ago on the present one is a product of k Jacobians,
# ∂s_T/∂s_t = J_T ... J_{t+1}, and its norm tells how fast the memory fades. `StepJacobians`
# differentiates every step of the recorded states. The direct path of the cell state is a product
# of forget gates only: a unit whose gate is f at every step forgets with the time constant
# −Δt/ln f. It is not the only path: the gates read h, and h reads C. In a network as small as this
# one most of the memory takes that way, and lasts longer than any forget gate alone would keep it.
#
# A material forgets as well, and for this one the law is known: an increment of strain at time t
# still makes exp(−(m/κ) ∫ |σ|^(m−1) dt) of its stress at the end. `inspect_model` computes both. A
# network that has learnt the material has learnt how much to forget.


def measure_memory(model: keras.Model, cycle: Split, folder: Path) -> None:
    """Print norms of Jacobian products and time constants, and draw the memory of the stress."""
    (states,) = record_states(model, cycle.x)
    forget = lstm.compute_gates(states).forget
    full = np.exp(log_norms(StepJacobians(states))[:, 0])  # by lag
    direct = np.exp(lstm.direct_log_norms(forget)[:, 0])
    print("lag      ‖∂s_T/∂s_t‖   direct path of the cell state")
    for lag in (1, 5, 20, 60):
        print(f"{lag:3} steps {full[lag]:11.2g} {direct[lag]:17.2g}")
    constants_s = np.sort(lstm.time_constants(forget, cycle.x[..., 2].T)[0])
    print(f"  time constants of the units: {constants_s[0]:.2f} to {constants_s[-1]:.1f} s")

    material = {"modulus_mpa": 1.0, "nu0_s": 1.0, "sigma0_mpa": 1.0, "exponent": 3.0}
    memory = inspect_model(model, manifest={"material": material}).stress
    assert memory is not None and memory.material is not None  # the material is known here
    print(f"  network and material differ by {memory.rms_difference:.3f} (RMS, of 1)")
    curves = {"material": memory.material, "network": memory.network}
    figure = plots.memory_of_material(memory.time_s, memory.strain, curves)
    save_figure(figure, folder / "3_memory.png")


# 6. One step at a time
# ---------------------
# A testing machine or a control loop has no sequence, it has one new sample. `step_model` is the
# same network for one time step: it takes the states and returns the next ones. Stepping through a
# path gives the same stress as the whole sequence at once, up to rounding.


def step_through(model: keras.Model, cycle: Split) -> None:
    """Run the one-step model in a loop, and compare with the whole sequence."""
    step = step_model(model)
    states = {name: np.zeros((1, UNITS), np.float32) for name in ("hidden_0", "cell_0")}
    stress = []
    for x in cycle.x[0]:  # (features,)
        outputs = step({"x": x[None], **states})
        states = {name: np.asarray(outputs[f"{name}_next"]) for name in states}
        stress.append(np.asarray(outputs["prediction"])[0, 0])
    whole = predictor(model)(cycle.x)[0, :, 0]
    difference = np.abs(np.array(stress) - whole).max()
    print(f"{len(stress)} single steps and the whole sequence differ by {difference:.1e} MPa")
    assert difference < 1e-4


def run(folder: Path, quick: bool = False) -> None:
    """The tutorial.

    Args:
        folder: folder of the figures.
        quick: whether to train hardly at all, as a smoke test.
    """
    train, tests = make_data(quick)
    model = train_lstm(train, quick)
    compare_predictions(model, tests, folder)
    cycle = hysteresis.cycle(material=Material())
    draw_states(model, cycle, folder)
    measure_memory(model, cycle, folder)
    step_through(model, cycle)
