"""The gated cells beside Keras' own layers on shared weights, and beside numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo.cells.gated.lstm
from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.recurrent import VisibleRNN, fused_graphs

UNITS, FEATURES, BATCH, TIME = 5, 3, 4, 5
KINDS = {
    "rnn": (SimpleRNNCell, keras.layers.SimpleRNN, {}),
    "gru": (GRUCell, keras.layers.GRU, {"reset_after": True}),
    "gru-reset-before": (GRUCell, keras.layers.GRU, {"reset_after": False}),
    "lstm": (LSTMCell, keras.layers.LSTM, {}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
fused_or_loop = pytest.mark.parametrize("fused", [True, False], ids=["fused", "loop"])


def draw(*shape, seed=0, size=1.0):
    return (size * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def random_weights(layer, seed=1):
    weights = [draw(*w.shape, seed=seed + k, size=0.6) for k, w in enumerate(layer.get_weights())]
    layer.set_weights(weights)
    return weights


def pair(kind, cell=None, layer=None, rnn=VisibleRNN):
    """Our cell over time and Keras' layer, both built, on the same random weights."""
    make_cell, make_layer, options = KINDS[kind]
    options = {**options, **(cell or {})}
    layer = {"return_sequences": True, **(layer or {})}
    ours = rnn(make_cell(UNITS, **options), **layer)
    theirs = make_layer(UNITS, **options, **layer)
    for each in (ours, theirs):
        each.build((BATCH if layer.get("stateful") else None, TIME, FEATURES))
    ours.set_weights(random_weights(theirs))
    return ours, theirs


def run(ours, *args, **kwargs):
    return ours(*args, **kwargs)["hidden"].numpy()


def close(actual, expected, atol=1e-6):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=atol)


def states(kind, seed=8):
    return [draw(BATCH, UNITS, seed=seed + k) for k in range(2 if kind == "lstm" else 1)]


@every_kind
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@fused_or_loop
def test_output_equals_the_keras_layer(kind, bias, fused):
    ours, theirs = pair(kind, {"use_bias": bias})
    ours.fused = ours.fused and fused
    x = draw(BATCH, TIME, FEATURES)
    close(run(ours, x), theirs(x))


@every_kind
def test_weights_travel_both_ways(kind):
    ours, theirs = pair(kind)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    random_weights(ours, seed=20)
    theirs.set_weights(ours.get_weights())
    for actual, expected in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)
    x = draw(BATCH, TIME, FEATURES)
    close(run(ours, x), theirs(x))


@every_kind
def test_fresh_weights_follow_keras_initialisers(kind):
    make_cell, make_layer, options = KINDS[kind]
    seeds = {
        "kernel_initializer": keras.initializers.GlorotUniform(seed=3),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=4),
    }
    ours, theirs = make_cell(UNITS, **options, **seeds), make_layer(UNITS, **options, **seeds)
    ours.build((None, FEATURES))
    theirs.build((None, TIME, FEATURES))
    for actual, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)


@every_kind
def test_activations_are_the_chosen_ones(kind):
    chosen = {"activation": "softsign"}
    if kind != "rnn":
        chosen["recurrent_activation"] = "hard_sigmoid"
    ours, theirs = pair(kind, chosen)
    x = draw(BATCH, TIME, FEATURES)
    close(run(ours, x), theirs(x))
    assert np.abs(run(ours, x) - run(pair(kind)[0], x)).max() > 0.01


def test_regularisers_and_constraints_are_those_of_keras():
    ours, theirs = pair("lstm", {"kernel_regularizer": "l2", "recurrent_constraint": "non_neg"})
    close(sum(ours.losses), sum(theirs.losses))
    assert float(sum(ours.losses)) > 0
    assert isinstance(ours.cell.recurrent_kernel.constraint, keras.constraints.NonNeg)


# Gates


def sigma(z):
    return 1 / (1 + np.exp(-z))


def lstm_by_hand(x, weights):
    """Every quantity of every step in float64, gates in the order i, f, g, o."""
    kernel, recurrent, bias = (np.asarray(w, np.float64) for w in weights)
    h = c = np.zeros((len(x), UNITS))
    steps = []
    for now in np.asarray(x, np.float64).transpose(1, 0, 2):
        i, f, g, o = np.split(now @ kernel + h @ recurrent + bias, 4, axis=-1)
        i, f, g, o = sigma(i), sigma(f), np.tanh(g), sigma(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((h, c, i, f, g, o))
    names = ("hidden", "cell", "input", "forget", "candidate", "output")
    return {n: np.stack(v, axis=1) for n, v in zip(names, zip(*steps, strict=True), strict=True)}


def gru_by_hand(x, weights, reset_after):
    """Every quantity of every step in float64, gates in the order u, r, g."""
    kernel, recurrent, bias = (np.asarray(w, np.float64) for w in weights)
    x_bias, h_bias = bias if reset_after else (bias, np.zeros(3 * UNITS))
    w_u, w_r, w_g = np.split(kernel, 3, axis=-1)
    u_u, u_r, u_g = np.split(recurrent, 3, axis=-1)
    b_u, b_r, b_g = np.split(x_bias, 3)
    d_u, d_r, d_g = np.split(h_bias, 3)
    h = np.zeros((len(x), UNITS))
    steps = []
    for now in np.asarray(x, np.float64).transpose(1, 0, 2):
        u = sigma(now @ w_u + h @ u_u + b_u + d_u)
        r = sigma(now @ w_r + h @ u_r + b_r + d_r)
        inner = r * (h @ u_g + d_g) if reset_after else (r * h) @ u_g
        g = np.tanh(now @ w_g + b_g + inner)
        h = u * h + (1 - u) * g
        steps.append((h, u, r, g))
    names = ("hidden", "update", "reset", "candidate")
    return {n: np.stack(v, axis=1) for n, v in zip(names, zip(*steps, strict=True), strict=True)}


def shown_by(kind, show):
    ours, _ = pair(kind)
    cell = type(ours.cell).from_config({**ours.cell.get_config(), "show": show})
    twin = VisibleRNN(cell)
    twin.build((None, TIME, FEATURES))
    twin.set_weights(ours.get_weights())
    return twin


@pytest.mark.parametrize("kind", ["lstm", "gru", "gru-reset-before"])
def test_states_and_gates_are_those_computed_by_hand(kind):
    x, weights = draw(BATCH, TIME, FEATURES), pair(kind)[0].get_weights()
    expected = (
        lstm_by_hand(x, weights) if kind == "lstm" else gru_by_hand(x, weights, kind == "gru")
    )
    names = tuple(reversed(expected))  # any order may be asked for
    shown = shown_by(kind, names)(x)
    assert tuple(shown) == names
    for name in names:
        close(shown[name], expected[name])


def test_simple_rnn_is_the_one_computed_by_hand():
    x, weights = draw(BATCH, TIME, FEATURES), pair("rnn")[0].get_weights()
    kernel, recurrent, bias = (np.asarray(w, np.float64) for w in weights)
    h, steps = np.zeros((BATCH, UNITS)), []
    for now in x.transpose(1, 0, 2):
        h = np.tanh(now @ kernel + h @ recurrent + bias)
        steps.append(h)
    close(run(pair("rnn")[0], x), np.stack(steps, axis=1))


@pytest.mark.parametrize("show", [("forget", "hiden"), ()], ids=["unknown", "none"])
def test_a_wrong_show_is_one_line_that_names_the_choices(show):
    with pytest.raises(ValueError, match="at least one quantity of LSTMCell, of hidden, cell") as e:
        LSTMCell(4, show=show)
    assert "\n" not in str(e.value)


# Gradients of the fused op


def lstm_gradients(h_and_c, variables, h_up, c_up):
    with tf.GradientTape() as tape:
        tape.watch([v for v in variables if isinstance(v, tf.Tensor)])
        h, c = h_and_c()
        loss = tf.reduce_sum(h * h_up) + tf.reduce_sum(c * c_up)
    return tape.gradient(loss, variables)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("given", [True, False], ids=["initial-state", "zero-state"])
def test_fused_gradients_equal_the_loop_and_keras(bias, given):
    ours = VisibleRNN(LSTMCell(UNITS, use_bias=bias, show=("hidden", "cell")))
    theirs = keras.layers.LSTM(UNITS, use_bias=bias, return_sequences=True, return_state=True)
    for layer in (ours, theirs):
        layer.build((None, TIME, FEATURES))
    ours.set_weights(random_weights(theirs))
    x = tf.constant(draw(BATCH, TIME, FEATURES))
    initial = [tf.constant(s) for s in states("lstm")] if given else []
    h_up = draw(BATCH, TIME, UNITS, seed=11)
    c_up = np.zeros_like(h_up)
    c_up[:, -1] = draw(BATCH, UNITS, seed=12)  # Keras' layer returns the last cell state only

    def visible():
        out = ours(x, initial_state=initial or None)
        return out["hidden"], out["cell"]

    def keras_layer():
        h, _, c = theirs(x, initial_state=initial or None)
        return h, tf.pad(c[:, None], ((0, 0), (TIME - 1, 0), (0, 0)))

    def gradients_of(function, layer):
        variables = [x, *initial, *(w.value for w in layer.trainable_weights)]
        return lstm_gradients(function, variables, h_up, c_up)

    fused, expected = gradients_of(visible, ours), gradients_of(keras_layer, theirs)
    ours.fused = False
    loop = gradients_of(visible, ours)
    for by_op, by_loop, by_keras in zip(fused, loop, expected, strict=True):
        assert np.abs(by_keras).max() > 1e-2
        close(by_op, by_keras, atol=1e-5)
        close(by_loop, by_keras, atol=1e-5)


def test_fused_gradients_of_every_cell_state_equal_finite_differences():
    ours = VisibleRNN(LSTMCell(UNITS, show=("cell", "hidden")))
    ours.build((None, TIME, FEATURES))
    weights = random_weights(ours)
    x = draw(BATCH, TIME, FEATURES)
    h_up, c_up = draw(BATCH, TIME, UNITS, seed=11), draw(BATCH, TIME, UNITS, seed=12)

    def visible():
        out = ours(x)
        return out["hidden"], out["cell"]

    gradients = lstm_gradients(visible, [w.value for w in ours.trainable_weights], h_up, c_up)

    def loss(weights):
        out = lstm_by_hand(x, weights)
        return (out["hidden"] * h_up).sum() + (out["cell"] * c_up).sum()

    for k, gradient in enumerate(gradients):
        direction = draw(*weights[k].shape, seed=30 + k).astype(np.float64)
        ahead, behind = ([np.asarray(w, np.float64) for w in weights] for _ in range(2))
        ahead[k] += 1e-5 * direction
        behind[k] -= 1e-5 * direction
        expected = (loss(ahead) - loss(behind)) / 2e-5
        assert np.sum(np.asarray(gradient) * direction) == pytest.approx(expected, rel=1e-4)


def test_wide_layers_take_the_loop(monkeypatch):
    calls = []
    monkeypatch.setattr(
        zoo.cells.gated.lstm, "block_lstm", lambda *args, **kw: calls.append(1) or 1 / 0
    )
    x = draw(1, 2, FEATURES)
    with pytest.raises(ZeroDivisionError):
        VisibleRNN(LSTMCell(32))(x)
    VisibleRNN(LSTMCell(256))(x)
    assert len(calls) == 1


# What Keras users expect of a layer over time


@every_kind
@fused_or_loop
def test_initial_state_is_the_one_given(kind, fused):
    ours, theirs = pair(kind)
    ours.fused = ours.fused and fused
    x, initial = draw(BATCH, TIME, FEATURES), states(kind)
    close(run(ours, x, initial_state=initial), theirs(x, initial_state=initial))
    assert np.abs(run(ours, x, initial_state=initial) - run(ours, x)).max() > 0.01


@every_kind
@pytest.mark.parametrize(
    "options",
    [
        {"go_backwards": True},
        {"go_backwards": True, "return_sequences": False},
        {"return_sequences": False},
        {"unroll": True},
    ],
    ids=["backwards", "backwards-last", "last", "unrolled"],
)
@fused_or_loop
def test_options_of_the_layer_act_as_in_keras(kind, options, fused):
    ours, theirs = pair(kind, layer=options)
    ours.fused = ours.fused and fused
    x = draw(BATCH, TIME, FEATURES)
    expected = theirs(x).numpy()
    assert run(ours, x).shape == expected.shape
    close(run(ours, x), expected)


@every_kind
@fused_or_loop
def test_stateful_layers_remember_and_forget_when_told(kind, fused):
    ours, theirs = pair(kind, layer={"stateful": True})
    ours.fused = ours.fused and fused
    x = draw(BATCH, TIME, FEATURES)
    first = run(ours, x)
    close(first, theirs(x))
    again = run(ours, x)
    close(again, theirs(x))
    assert np.abs(again - first).max() > 0.01
    ours.reset_state()
    close(run(ours, x), first, atol=0)


@every_kind
def test_masked_steps_keep_the_state_as_in_keras(kind):
    ours, theirs = pair(kind)
    x = draw(BATCH, TIME, FEATURES)
    x[0, 3:] = 0  # padded behind
    x[1, :2] = 0  # padded in front
    x[2, 3] = 0  # a gap
    masked = keras.layers.Masking()(x)
    hidden = run(ours, masked)
    close(hidden, theirs(masked))
    np.testing.assert_array_equal(hidden[0, 3:], np.repeat(hidden[0, 2:3], 2, axis=0))
    np.testing.assert_array_equal(hidden[1, :2], 0)
    np.testing.assert_array_equal(hidden[2, 3], hidden[2, 2])
    assert np.abs(hidden - run(ours, x)).max() > 0.01


def test_the_mask_reaches_the_layer_above():
    ours, theirs = pair("lstm")
    above = keras.layers.GRU(UNITS)
    x = draw(BATCH, TIME, FEATURES)
    x[:2, 3:] = 0
    inputs = keras.Input((None, FEATURES))
    masked = keras.layers.Masking()(inputs)
    by_ours = keras.Model(inputs, above(ours(masked)["hidden"]))
    by_keras = keras.Model(inputs, above(theirs(masked)))
    close(by_ours(x), by_keras(x))
    close(by_ours(x)[:2], by_ours(x[:2, :3]))  # padding changes nothing


@every_kind
@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.3, 0.5)], ids=["input", "both"])
def test_dropout_is_that_of_keras_for_the_same_seed(kind, rates):
    options = {"dropout": rates[0], "recurrent_dropout": rates[1], "seed": 7}
    ours, theirs = pair(kind, options)
    x = draw(BATCH, TIME, FEATURES)
    plain = pair(kind)[1](x).numpy()
    first = run(ours, x, training=True)
    close(first, theirs(x, training=True))
    again = run(ours, x, training=True)  # other masks for another batch
    close(again, theirs(x, training=True))
    assert np.abs(again - first).max() > 0.01
    close(run(pair(kind, options)[0], x, training=True), first, atol=0)
    close(run(ours, x, training=False), plain)


def test_dropout_is_never_lost_in_the_fused_op(monkeypatch):
    def fuse(*args, **kwargs):
        raise AssertionError("fused")

    monkeypatch.setattr(zoo.cells.gated.lstm, "block_lstm", fuse)
    x = draw(BATCH, TIME, FEATURES)
    for options in ({"dropout": 0.4}, {"recurrent_dropout": 0.4}):
        ours, _ = pair("lstm", options)
        ours(x, training=True)
        with pytest.raises(AssertionError, match="fused"):
            ours(x, training=False)


@every_kind
def test_a_cell_is_a_drop_in_for_keras_rnn(kind):
    ours, theirs = pair(kind, rnn=keras.layers.RNN, layer={"return_state": True})
    x, initial = draw(BATCH, TIME, FEATURES), states(kind)
    for actual, expected in zip(
        ours(x, initial_state=initial), theirs(x, initial_state=initial), strict=True
    ):
        close(actual, expected)


@every_kind
def test_bidirectional_equals_keras(kind):
    ours, theirs = (keras.layers.Bidirectional(layer) for layer in pair(kind, rnn=keras.layers.RNN))
    x = draw(BATCH, TIME, FEATURES)
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.set_weights(random_weights(theirs))
    assert theirs(x).shape == (BATCH, TIME, 2 * UNITS)
    close(ours(x), theirs(x))


def test_stacked_cells_equal_stacked_layers():
    cells = keras.layers.StackedRNNCells([k[0](UNITS, **k[2]) for k in KINDS.values()])
    ours = keras.layers.RNN(cells, return_sequences=True)
    theirs = keras.Sequential([k[1](UNITS, return_sequences=True, **k[2]) for k in KINDS.values()])
    x = draw(BATCH, TIME, FEATURES)
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.set_weights(random_weights(theirs))
    close(ours(x), theirs(x))


@pytest.fixture
def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


@every_kind
def test_mixed_precision_computes_in_half_as_keras_does(kind, mixed_precision):
    ours, theirs = pair(kind)
    x = draw(BATCH, TIME, FEATURES)
    hidden = ours(x)["hidden"]
    assert hidden.dtype == "float16"
    assert {w.dtype for w in ours.weights} == {"float32"}
    close(hidden, theirs(x), atol=2e-3)
    keras.config.set_dtype_policy("float32")
    exact = run(pair(kind)[0], x)
    close(hidden, exact, atol=1e-2)
    assert np.abs(hidden - exact).max() > 0


# Saving


@every_kind
def test_a_cell_survives_its_config(kind):
    make_cell, _, options = KINDS[kind]
    cell = make_cell(UNITS, **options, show=("hidden",), dropout=0.2, activation="softsign")
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(cell))
    assert type(twin) is make_cell
    assert twin.get_config() == cell.get_config()
    assert (twin.show, twin.visible, twin.dropout) == (cell.show, cell.visible, 0.2)
    assert twin.activation is keras.activations.softsign


@every_kind
@fused_or_loop
def test_a_saved_layer_answers_the_same(kind, fused, tmp_path):
    make_cell, _, options = KINDS[kind]
    show = tuple(make_cell(UNITS, **options).visible)
    inputs = keras.Input((None, FEATURES))
    layer = VisibleRNN(make_cell(UNITS, **options, show=show), fused=fused, go_backwards=True)
    model = keras.Model(inputs, layer(inputs))
    random_weights(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    loaded = again.layers[-1]
    assert (loaded.fused, loaded.go_backwards) == (layer.fused, True)
    x = draw(BATCH, TIME, FEATURES)
    expected = model(x)
    assert tuple(again(x)) == show == tuple(expected)
    for name, values in again(x).items():
        close(values, expected[name], atol=0)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("features", [2, 20], ids=["narrow", "wide"])
def test_compiled_lstm_is_keras_lstm_with_all_gradients(bias, features):
    ours = VisibleRNN(LSTMCell(UNITS, show=("hidden", "cell"), use_bias=bias))
    theirs = keras.layers.LSTM(
        UNITS, use_bias=bias, return_sequences=True, return_state=True, use_cudnn=False
    )
    for layer in (ours, theirs):
        layer.build((None, TIME, features))
    ours.set_weights(random_weights(theirs))
    x, start = tf.constant(draw(BATCH, TIME, features)), [tf.constant(s) for s in states("lstm")]
    of_hidden = tf.constant(draw(BATCH, TIME, UNITS, seed=20))
    of_cell = tf.constant(draw(BATCH, UNITS, seed=21))  # of the last cell state

    @tf.function(jit_compile=True)
    def compiled(x, start):
        with tf.GradientTape() as tape, fused_graphs(compiled=True):
            tape.watch([x, start])
            out = ours(x, initial_state=start, training=True)
            loss = tf.reduce_sum(out["hidden"] * of_hidden)
            loss += tf.reduce_sum(out["cell"][:, -1] * of_cell)
        return out["hidden"], out["cell"][:, -1], tape.gradient(loss, [x, start, ours.weights])

    with tf.GradientTape() as tape:
        tape.watch([x, start])
        hidden, _, cell = theirs(x, initial_state=start)
        loss = tf.reduce_sum(hidden * of_hidden) + tf.reduce_sum(cell * of_cell)
    expected = hidden, cell, tape.gradient(loss, [x, start, theirs.weights])
    got = compiled(x, start)
    for a, b in zip(tf.nest.flatten(got), tf.nest.flatten(expected), strict=True):
        close(a, b, atol=1e-6 * max(1.0, float(tf.reduce_max(tf.abs(b)))))
