"""The lecture on memory: recurrence, slopes of activations, and the gates of an LSTM."""

import keras
import numpy as np
import tensorflow as tf

from recipes.lecture import examples as written
from zoo import plots
from zoo.cells import LSTMCell, SimpleRNNCell
from zoo.cells.gated import LSTMState
from zoo.recurrent import recurrent_model
from zoo.report import Column, Report, Table

UNITS = 2
PULSE = ((1.0,),) + 7 * ((0.0,),)  # (time, features): one blow, then silence
FORMULAS = {"tanh": "1 − tanh²(a)", "sigmoid": "σ(a) (1 − σ(a))", "relu": "1 if a > 0, else 0"}
TINY = ".1e"


def recurrence(page: Report, seed: int) -> None:
    """Two layers written out, beside two `SimpleRNNCell`s; and how their gradient fades."""
    rng = np.random.default_rng(seed)
    first, second = draw_layer(rng, 1), draw_layer(rng, UNITS)
    states = written.two_layers(PULSE, first, second)
    lower, upper, jacobian = two_layers_by_zoo(first, second)
    by_hand = np.array(states)  # (time, layer, units)
    ours = np.stack([lower, upper], axis=1)
    page.section(
        "Two recurrent layers, written out",
        "h¹_t = tanh(W¹ x_t + U¹ h¹_{t−1} + b¹)\n\nh²_t = tanh(W² h¹_t + U² h²_{t−1} + b²)\n\n"
        "Both states start at zero. The second layer reads the first one's state of the same step "
        "and its own of the step before. Here one blow, x = 1 and then nothing, goes through two "
        "layers of two units with drawn weights: once in plain Python, once through the zoo's "
        "cells. Keras writes x W with rows, the lecture W x with columns: its weights are "
        "transposed.",
    ).table(
        Table(
            [
                Column("step", number="d"),
                Column("x", number="g"),
                *(
                    Column(f"{name}, {by}", number=".5f")
                    for name in ("h¹, unit 1", "h², unit 1")
                    for by in ("written out", "zoo")
                ),
            ],
            [
                (t + 1, x, by_hand[t, 0, 0], lower[t, 0], by_hand[t, 1, 0], upper[t, 0])
                for t, (x,) in enumerate(PULSE)
            ],
            f"All four units of all steps differ by at most {np.abs(by_hand - ours).max():.0e}, "
            "the rounding of 32 bits.",
        )
    )
    page.text(
        "Why such a network forgets: by the chain rule the last state feels the input k steps "
        "earlier through k factors,\n\n"
        "∂h_T/∂x_{T−k} = J_T J_{T−1} … J_{T−k+1} · diag(1 − h²_{T−k}) W,   J_t = diag(1 − h_t²) U"
        "\n\nand because no slope of tanh exceeds 1, ‖∂h_T/∂x_{T−k}‖ ≤ ‖U‖^k ‖W‖."
    ).table(fading(first, [lower for lower, _ in states], jacobian))


def fading(layer: written.Layer, hidden: list[list[float]], jacobian: np.ndarray) -> Table:
    """Norm of ∂h_T/∂x_{T−k} of the first layer: by the chain rule, by Keras, and its bound."""
    product, rows = np.eye(UNITS), []
    size = np.linalg.norm(layer.recurrent, 2)
    for lag, h in enumerate(reversed(hidden)):
        slope = 1 - np.square(h)
        chain = np.linalg.norm(product @ (slope[:, None] * np.array(layer.kernel)), 2)
        taped = np.linalg.norm(jacobian[:, len(hidden) - 1 - lag], 2)
        rows.append((lag, chain, taped, size**lag * np.linalg.norm(layer.kernel, 2)))
        product = product @ np.array(written.state_jacobian(layer, h))
    columns = ("chain rule", "automatic differentiation", "bound")
    return Table(
        [Column("lag k", number="d"), *(Column(name, number=".3e") for name in columns)],
        rows,
        f"‖∂h¹_T/∂x_(T−k)‖ of the first layer, T = {len(hidden)}, ‖U¹‖ = {size:.3f}.",
    )


def activations(page: Report) -> None:
    """φ and φ' by formula, beside automatic differentiation of Keras' functions."""
    points = np.linspace(-5, 5, 401)
    curves, rows = {}, []
    for name, (value, slope) in written.ACTIVATIONS.items():
        curves[name] = plots.Activation(
            np.array([value(a) for a in points]), np.array([slope(a) for a in points])
        )
        worst = np.abs(slopes_by_keras(name, points) - curves[name].slope).max()
        rows.append((name, FORMULAS[name], float(curves[name].slope.max()), worst))
    page.section(
        "Derivatives of activations",
        "Going back k steps multiplies k slopes. The logistic function's is at most 1/4, so its "
        "gradient fades at least like 4^−k where ‖U‖ ≤ 1; tanh' is 1 at one point only; ReLU' is "
        "1 wherever the unit is awake, and 0 where it sleeps.",
    ).figure(
        plots.activations(points, curves),
        name="activations",
        caption="Activations and their derivatives.",
        alt="Left: tanh from -1 to 1, sigmoid from 0 to 1, relu. Right: their derivatives.",
    ).table(
        Table(
            [
                "φ",
                "φ′",
                Column("largest slope", number="g"),
                Column("worst difference from Keras", number=TINY),
            ],
            rows,
            f"Over {len(points)} points from −5 to 5, by automatic differentiation. At 0 ReLU has "
            "no derivative; here, as in Keras, it is 0.",
        )
    )


def gates(page: Report, seed: int) -> None:
    """One LSTM step after another, written out, beside `LSTMCell`; and ∂C/∂C, ∂h/∂C."""
    rng = np.random.default_rng(seed + 1)
    weights = {
        name: draw_layer(rng, 1, scale=1.2) for name in ("input", "forget", "candidate", "output")
    }
    cell = lstm_cell(weights)
    steps = written_lstm(weights)
    state = cell.get_initial_state(batch_size=1)
    seen = []
    for x in PULSE:
        state, quantities = cell.step(tf.constant([x]), LSTMState(*state))
        seen.append({name: value.numpy()[0] for name, value in quantities.items()})
    names = written.LSTMStep._fields
    worst = max(
        np.abs(getattr(step, name) - ours[name]).max()
        for step, ours in zip(steps, seen, strict=True)
        for name in names
    )
    page.section(
        "Gates of an LSTM",
        "f = σ(W_f x + U_f h + b_f),  i = σ(W_i x + U_i h + b_i),  o = σ(W_o x + U_o h + b_o)\n\n"
        "g = tanh(W_g x + U_g h + b_g)\n\nC' = f C + i g\n\nh' = o tanh(C')\n\n"
        "The same blow goes in, and every gate can be read at every step.",
    ).table(
        Table(
            [Column("step", number="d"), *(Column(name, number=".4f") for name in names)],
            [(t + 1, *(getattr(step, name)[0] for name in names)) for t, step in enumerate(steps)],
            f"Unit 1, written out; both units of the zoo's LSTMCell differ by at most {worst:.0e}.",
        )
    )
    rows, exact_slope = direct_path(cell, steps)
    page.text(
        "The cell state is the way past the vanishing gradient: with the gates held, ∂C'/∂C = f, "
        "and ∂h'/∂C' = o sech²(C'). "
        f"The second is exact, to {exact_slope:.0e} here. The first is exact for one step; over "
        "more, f_T ⋯ f_1 is only the direct path, because the gates read h, and h reads C."
    ).table(
        Table(
            [
                Column("steps", number="d"),
                *(
                    Column(name, number=".5f")
                    for name in ("product of f", "exact ∂C_T/∂C_0", "difference")
                ),
            ],
            rows,
            "Unit 1 by itself: the diagonal element, C_0 = 0, h_0 = 0.",
        )
    )


def direct_path(
    cell: LSTMCell, steps: list[written.LSTMStep]
) -> tuple[list[tuple[int, float, float, float]], float]:
    """Rows (steps, Π f, exact ∂C_T/∂C_0, difference), and the worst error of o sech²(C)."""
    start = tf.zeros((1, UNITS))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(start)
        state, cells = LSTMState(tf.zeros((1, UNITS)), start), []
        for x in PULSE:
            state, _ = cell.step(tf.constant([x]), state)
            cells.append(state.cell[0, 0])
    rows, direct = [], 1.0
    for count, (step, after) in enumerate(zip(steps, cells, strict=True), 1):
        direct *= step.forget[0]
        exact = float(tape.gradient(after, start)[0, 0])
        rows.append((count, direct, exact, exact - direct))
    last = state.cell
    with tf.GradientTape() as tape:
        tape.watch(last)
        hidden = steps[-1].output * tf.tanh(last)
    taped = tape.gradient(hidden, last).numpy()[0]
    formula = [o / np.cosh(c) ** 2 for o, c in zip(steps[-1].output, steps[-1].cell, strict=True)]
    return rows, float(np.abs(taped - formula).max())


def draw_layer(rng: np.random.Generator, features: int, scale: float = 0.7) -> written.Layer:
    """Weights of `UNITS` units."""
    draw = [rng.normal(0, scale, shape) for shape in ((UNITS, features), (UNITS, UNITS), UNITS)]
    return written.Layer(*(weights.astype(np.float32).tolist() for weights in draw))


def two_layers_by_zoo(
    first: written.Layer, second: written.Layer
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """h¹ and h² (time, units) of the zoo's model, and ∂h¹_T/∂x, (units, time, features)."""
    model = recurrent_model([SimpleRNNCell(UNITS), SimpleRNNCell(UNITS)], features=1)
    readout = [np.ones((UNITS, 1)), np.zeros(1)]
    model.set_weights([*keras_weights(first), *keras_weights(second), *readout])
    x = tf.constant([PULSE])
    with tf.GradientTape() as tape:
        tape.watch(x)
        seen = model(x)
        last = seen["hidden_0"][0, -1]  # (units,)
    jacobian = tape.jacobian(last, x)[:, 0]
    return seen["hidden_0"][0].numpy(), seen["hidden_1"][0].numpy(), jacobian.numpy()


def keras_weights(layer: written.Layer) -> list[np.ndarray]:
    """Kernels as Keras keeps them: (features, units), (units, units), (units,)."""
    return [np.transpose(layer.kernel), np.transpose(layer.recurrent), np.array(layer.bias)]


def lstm_cell(gates: dict[str, written.Layer]) -> LSTMCell:
    """The zoo's cell with these weights, gates side by side in Keras' order."""
    cell = LSTMCell(UNITS)
    cell.build((None, 1))
    order = ("input", "forget", "candidate", "output")
    parts = zip(*(keras_weights(gates[name]) for name in order), strict=True)
    cell.set_weights([np.concatenate(part, axis=-1) for part in parts])
    return cell


def written_lstm(gates: dict[str, written.Layer]) -> list[written.LSTMStep]:
    """Every step of the pulse from states of zero, in plain Python."""
    hidden, cell, steps = [0.0] * UNITS, [0.0] * UNITS, []
    for x in PULSE:
        step = written.lstm_step(x, hidden, cell, gates)
        hidden, cell = step.hidden, step.cell
        steps.append(step)
    return steps


def slopes_by_keras(name: str, points: np.ndarray) -> np.ndarray:
    """φ' at the points, by automatic differentiation of Keras' activation."""
    a = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(a)
        value = keras.activations.get(name)(a)
    return tape.gradient(value, a).numpy()
