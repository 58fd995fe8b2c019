"""Lecture part 1: RNN, vanishing gradient, derivatives of activations, gates of an LSTM."""

import keras
import numpy as np
import tensorflow as tf

from recipes.lecture import examples
from zoo import plots
from zoo.cells import LSTMCell, SimpleRNNCell
from zoo.cells.gated import LSTMState
from zoo.recurrent import recurrent_model
from zoo.report import Column, Report, Table

UNITS = 2
PULSE = ((1.0,),) + 7 * ((0.0,),)  # unit impulse, (time, features)
FORMULAS = {"tanh": "1 − tanh²(a)", "sigmoid": "σ(a) (1 − σ(a))", "relu": "1 if a > 0, else 0"}
ERROR = ".1e"  # number format of differences


def add_recurrence(page: Report, seed: int) -> None:
    """Append two recurrent layers in plain Python beside two `SimpleRNNCell`s, and their gradient.

    Args:
        page: the page.
        seed: seed of the weights.
    """
    rng = np.random.default_rng(seed)
    first, second = draw_layer(rng, 1), draw_layer(rng, UNITS)
    states = examples.two_layers(PULSE, first, second)
    lower, upper, jacobian = run_zoo_layers(first, second)
    plain = np.array(states)  # (time, layer, units)
    ours = np.stack([lower, upper], axis=1)
    page.section(
        "Recurrent neural network of two layers",
        "h⁽¹⁾_t = tanh(W⁽¹⁾ x_t + U⁽¹⁾ h⁽¹⁾_{t−1} + b⁽¹⁾)\n\n"
        "h⁽²⁾_t = tanh(W⁽²⁾ h⁽¹⁾_t + U⁽²⁾ h⁽²⁾_{t−1} + b⁽²⁾)\n\n"
        "Both states start at zero. The input of the second layer is the state of the first layer "
        "in the same step. Here a unit impulse, x = 1 and then 0, goes through two layers of two "
        "units with random weights: once in plain Python, once through the zoo's cells. Keras "
        "computes x W with row vectors, the lecture W x with column vectors: the weights are "
        "transposed.",
    ).table(
        Table(
            [
                Column("step", number="d"),
                Column("x", number="g"),
                *(
                    Column(f"{name}, {by}", number=".5f")
                    for name in ("h⁽¹⁾, unit 1", "h⁽²⁾, unit 1")
                    for by in ("plain Python", "zoo")
                ),
            ],
            [
                (t + 1, x, plain[t, 0, 0], lower[t, 0], plain[t, 1, 0], upper[t, 0])
                for t, (x,) in enumerate(PULSE)
            ],
            f"All four units of all steps differ by at most {np.abs(plain - ours).max():.0e}, "
            "the rounding error of float32.",
        )
    )
    page.text(
        "Vanishing gradient: by the chain rule the derivative of the last state with respect to "
        "the input k steps earlier is a product with k state Jacobians,\n\n"
        "∂h_T/∂x_{T−k} = J_T J_{T−1} … J_{T−k+1} · diag(1 − h_{T−k}²) W,   J_t = diag(1 − h_t²) U"
        "\n\nwith the square of each element, and because |tanh'| ≤ 1, "
        "‖∂h_T/∂x_{T−k}‖ ≤ ‖U‖ᵏ ‖W‖."
    ).table(gradient_table(first, [lower for lower, _ in states], jacobian))


def gradient_table(layer: examples.Layer, hidden: list[list[float]], jacobian: np.ndarray) -> Table:
    """Table of ‖∂h_T/∂x_{T−k}‖ of the first layer: chain rule, automatic differentiation, bound.

    Args:
        layer: weights of the layer.
        hidden: its states, (time, units).
        jacobian: ∂h_T/∂x by automatic differentiation, (units, time, features).
    """
    product, rows = np.eye(UNITS), []
    size = np.linalg.norm(layer.recurrent, 2)
    for lag, h in enumerate(reversed(hidden)):
        slope = 1 - np.square(h)
        chain = np.linalg.norm(product @ (slope[:, None] * np.array(layer.kernel)), 2)
        taped = np.linalg.norm(jacobian[:, len(hidden) - 1 - lag], 2)
        rows.append((lag, chain, taped, size**lag * np.linalg.norm(layer.kernel, 2)))
        product = product @ np.array(examples.state_jacobian(layer, h))
    columns = ("chain rule", "automatic differentiation", "bound")
    return Table(
        [Column("lag k", number="d"), *(Column(name, number=".3e") for name in columns)],
        rows,
        f"‖∂h_T/∂x_{{T−k}}‖ of the first layer, T = {len(hidden)}, ‖U‖ = {size:.3f}.",
    )


def add_activations(page: Report) -> None:
    """Append φ and φ' by formula, beside automatic differentiation of Keras' functions.

    Args:
        page: the page.
    """
    points = np.linspace(-5, 5, 401)
    curves, rows = {}, []
    for name, (value, slope) in examples.ACTIVATIONS.items():
        curves[name] = plots.Activation(
            np.array([value(a) for a in points]), np.array([slope(a) for a in points])
        )
        worst = np.abs(keras_derivatives(name, points) - curves[name].slope).max()
        rows.append((name, FORMULAS[name], float(curves[name].slope.max()), worst))
    page.section(
        "Derivatives of activations",
        "Backpropagation over k steps multiplies k derivatives. That of the logistic function is "
        "at most 1/4, so its gradient vanishes at least like 1/4ᵏ where ‖U‖ ≤ 1; tanh' is 1 at one "
        "point only; ReLU' is 1 where the unit is active, and 0 where it is not.",
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
                Column("largest derivative", number="g"),
                Column("largest difference from Keras", number=ERROR),
            ],
            rows,
            f"Over {len(points)} points from −5 to 5, by automatic differentiation. At 0 ReLU has "
            "no derivative; here, as in Keras, it is 0.",
        )
    )


def add_gates(page: Report, seed: int) -> None:
    """Append an LSTM in plain Python beside `LSTMCell`, and the derivatives ∂C'/∂C and ∂h/∂C.

    Args:
        page: the page.
        seed: seed of the weights.
    """
    rng = np.random.default_rng(seed + 1)
    weights = {
        name: draw_layer(rng, 1, scale=1.2) for name in ("input", "forget", "candidate", "output")
    }
    cell = make_lstm_cell(weights)
    steps = run_plain_lstm(weights)
    names = examples.LSTMStep._fields
    page.section(
        "Gates of an LSTM",
        "f = σ(W_f x + U_f h + b_f),  i = σ(W_i x + U_i h + b_i),  o = σ(W_o x + U_o h + b_o)\n\n"
        "g = tanh(W_g x + U_g h + b_g)\n\nC' = f C + i g\n\nh' = o tanh(C')\n\n"
        "The input is the same unit impulse; the table shows every gate at every step.",
    ).table(
        Table(
            [Column("step", number="d"), *(Column(name, number=".4f") for name in names)],
            [(t + 1, *(getattr(step, name)[0] for name in names)) for t, step in enumerate(steps)],
            "Unit 1 in plain Python; both units of the zoo's LSTMCell differ by at most "
            f"{_largest_difference(cell, steps):.0e}.",
        )
    )
    rows, exact_slope = direct_path(cell, steps)
    page.text(
        "The cell state avoids the vanishing gradient: at fixed gates ∂C'/∂C = f, and "
        "∂h'/∂C' = o sech²(C'). "
        f"The second is exact, to {exact_slope:.0e} here. The first is exact for one step; over "
        "several, f_T ⋯ f_1 is only the direct path, because the gates depend on h, and h on C."
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
            "Diagonal element of unit 1, with C_0 = 0, h_0 = 0.",
        )
    )


def _largest_difference(cell: LSTMCell, steps: list[examples.LSTMStep]) -> float:
    """Largest difference of all gates and states of the zoo's cell from `steps` along `PULSE`."""
    state = cell.get_initial_state(batch_size=1)
    differences = []
    for x, step in zip(PULSE, steps, strict=True):
        state, quantities = cell.step(tf.constant([x]), LSTMState(*state))
        for name in step._fields:
            differences.append(np.abs(getattr(step, name) - quantities[name].numpy()[0]).max())
    return float(max(differences))


def direct_path(
    cell: LSTMCell, steps: list[examples.LSTMStep]
) -> tuple[list[tuple[int, float, float, float]], float]:
    """Product of forget gates beside the exact ∂C_T/∂C_0, and the largest error of o sech²(C).

    Args:
        cell: the LSTM.
        steps: its gates and states along `PULSE`.

    Returns:
        Rows (number of steps, Π f, ∂C_T/∂C_0, difference) of unit 1; largest error of ∂h/∂C.
    """
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


def draw_layer(rng: np.random.Generator, features: int, scale: float = 0.7) -> examples.Layer:
    """Random weights of a layer with `UNITS` units.

    Args:
        rng: random generator.
        features: number of inputs.
        scale: standard deviation of the weights.
    """
    draw = [rng.normal(0, scale, shape) for shape in ((UNITS, features), (UNITS, UNITS), UNITS)]
    return examples.Layer(*(weights.astype(np.float32).tolist() for weights in draw))


def run_zoo_layers(
    first: examples.Layer, second: examples.Layer
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States of the zoo's model along `PULSE`, and the derivative of the last one.

    Args:
        first: weights of the lower layer.
        second: weights of the upper layer.

    Returns:
        h⁽¹⁾ and h⁽²⁾, each (time, units), and ∂h⁽¹⁾_T/∂x, (units, time, features).
    """
    model = recurrent_model([SimpleRNNCell(UNITS), SimpleRNNCell(UNITS)], features=1)
    readout = [np.ones((UNITS, 1)), np.zeros(1)]
    model.set_weights([*transpose_weights(first), *transpose_weights(second), *readout])
    x = tf.constant([PULSE])
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = model(x)
        last = outputs["hidden_0"][0, -1]  # (units,)
    jacobian = tape.jacobian(last, x)[:, 0]
    return outputs["hidden_0"][0].numpy(), outputs["hidden_1"][0].numpy(), jacobian.numpy()


def transpose_weights(layer: examples.Layer) -> list[np.ndarray]:
    """Weights in Keras' order of axes: (features, units), (units, units), (units,)."""
    return [np.transpose(layer.kernel), np.transpose(layer.recurrent), np.array(layer.bias)]


def make_lstm_cell(gates: dict[str, examples.Layer]) -> LSTMCell:
    """The zoo's LSTM cell with these weights, gates concatenated in Keras' order."""
    cell = LSTMCell(UNITS)
    cell.build((None, 1))
    order = ("input", "forget", "candidate", "output")
    parts = zip(*(transpose_weights(gates[name]) for name in order), strict=True)
    cell.set_weights([np.concatenate(part, axis=-1) for part in parts])
    return cell


def run_plain_lstm(gates: dict[str, examples.Layer]) -> list[examples.LSTMStep]:
    """LSTM in plain Python along `PULSE`, with initial states of zero."""
    hidden, cell, steps = [0.0] * UNITS, [0.0] * UNITS, []
    for x in PULSE:
        step = examples.lstm_step(x, hidden, cell, gates)
        hidden, cell = step.hidden, step.cell
        steps.append(step)
    return steps


def keras_derivatives(name: str, points: np.ndarray) -> np.ndarray:
    """Derivative φ' of Keras' activation at the points, by automatic differentiation.

    Args:
        name: Keras' name of φ.
        points: arguments, (points,).

    Returns:
        φ', (points,).
    """
    a = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(a)
        value = keras.activations.get(name)(a)
    return tape.gradient(value, a).numpy()
