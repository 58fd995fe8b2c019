"""Sequence models, their views and one-step twins, on random weights."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from zoo.cells import (
    GRUCell,
    LMSCCell,
    LSTMCell,
    MaxwellCell,
    PronyCell,
    RelaxationCell,
    SimpleRNNCell,
)
from zoo.recurrent import (
    Increments,
    Scaling,
    VisibleRNN,
    plain_model,
    predictor,
    recurrent_layers,
    recurrent_model,
    step_model,
    view,
)

TIME, UNITS = 9, 4
STACKS = {
    "rnn": lambda: [SimpleRNNCell(UNITS), SimpleRNNCell(3)],
    "gru": lambda: [GRUCell(UNITS), GRUCell(3)],
    "gru-reset-before": lambda: [GRUCell(UNITS, reset_after=False), GRUCell(3, reset_after=False)],
    "lstm": lambda: [LSTMCell(UNITS), LSTMCell(3)],
    "mixed": lambda: [LSTMCell(UNITS), GRUCell(3)],
}
FIELDS = {"rnn": (1, 1), "gru": (1, 1), "gru-reset-before": (1, 1), "lstm": (2, 2), "mixed": (2, 1)}
SCALING = Scaling(
    x_mean=(1.1, 0.2, 0.1, 0.0, -2.0),
    x_std=(0.2, 2.0, 0.05, 0.3, 0.7),
    y_mean=(0.5,),
    y_std=(3.0,),
)
every_stack = pytest.mark.parametrize("kind", STACKS)


def paths(count=5, steps=TIME, seed=0):
    """(strain, rate, dt), float32."""
    rng = np.random.default_rng(seed)
    rate, dt = rng.normal(size=(count, steps)), rng.uniform(0.05, 0.3, size=(count, steps))
    return np.stack([1 + np.cumsum(rate * dt, axis=1), rate, dt], axis=-1).astype(np.float32)


def build(kind, **options):
    """A model with front end and scaling, on weights far from their initial values."""
    settings = {"front": Increments(), "scaling": SCALING} | options
    model = recurrent_model(STACKS[kind](), **settings)
    rng = np.random.default_rng(1)
    model.set_weights([0.5 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


def names_of(kind):
    return [
        f"{field}_{k}"
        for k, count in enumerate(FIELDS[kind])
        for field in ("hidden", "cell")[:count]
    ]


def close(actual, expected, atol=1e-6):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=atol)


# What comes out


@every_stack
def test_every_state_of_every_step_is_a_named_output(kind):
    outputs = build(kind)(paths())
    assert list(outputs) == ["prediction", *names_of(kind)]
    for name, values in outputs.items():
        width = 1 if name == "prediction" else (UNITS, 3)[int(name[-1])]
        assert values.shape == (5, TIME, width)


@pytest.mark.parametrize("kind", ["rnn", "gru", "gru-reset-before", "lstm"])
def test_numbers_are_those_of_keras_layers_between_scalings(kind):
    model = build(kind)
    x = paths()
    made = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM}.get(kind, keras.layers.GRU)
    options = {"reset_after": False} if kind == "gru-reset-before" else {}
    layers = [made(width, return_sequences=True, **options) for width in (UNITS, 3)]
    by_keras = keras.Sequential([*layers, keras.layers.Dense(1)])
    features = np.concatenate([x, x[..., 1:2] * x[..., 2:], np.log(x[..., 2:])], axis=-1)
    features = (features - np.array(SCALING.x_mean)) / np.array(SCALING.x_std)
    by_keras.build(features.shape)
    by_keras.set_weights(model.get_weights())
    close(model(x)["prediction"], 0.5 + 3.0 * by_keras(features).numpy(), atol=1e-5)


def test_the_last_cell_may_be_the_answer():
    model = recurrent_model([LSTMCell(UNITS)], targets=None)
    outputs = model(paths())
    np.testing.assert_array_equal(outputs["prediction"], outputs["hidden_0"])
    assert len(model.get_weights()) == 3  # no readout


def test_several_targets_have_their_own_units():
    scaling = Scaling((0.0,) * 3, (1.0,) * 3, (1.0, -2.0), (10.0, 0.1))
    model = recurrent_model([GRUCell(UNITS)], targets=2, scaling=scaling)
    outputs = model(paths())
    kernel, bias = model.get_layer("readout").get_weights()
    expected = (outputs["hidden_0"].numpy() @ kernel + bias) * [10.0, 0.1] + [1.0, -2.0]
    close(outputs["prediction"], expected)


def test_gates_asked_for_come_beside_the_states():
    model = recurrent_model([LSTMCell(UNITS, show=("hidden", "forget"))])
    assert list(model(paths())) == ["prediction", "hidden_0", "forget_0", "cell_0"]


def test_states_are_returned_by_name_only():
    with pytest.raises(ValueError, match=r"`return_state` must be False.*Try show=") as error:
        VisibleRNN(LSTMCell(UNITS), return_state=True)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("cells", "received"), [([], "none"), ([keras.layers.LSTMCell(3)], "LSTMCell")]
)
def test_a_model_needs_cells_that_show_their_states(cells, received):
    with pytest.raises(ValueError, match=f"Expected one cell.*Received: {received}"):
        recurrent_model(cells)


@pytest.mark.parametrize("return_sequences", [True, False])
def test_the_announced_shape_is_the_real_one(return_sequences):
    layer = VisibleRNN(LSTMCell(UNITS, show=("cell", "forget")), return_sequences=return_sequences)
    announced = layer.compute_output_shape((5, TIME, 3))
    assert announced == {name: tuple(v.shape) for name, v in layer(paths()).items()}


# One step at a time


@every_stack
def test_stepping_equals_the_sequence(kind):
    model = build(kind)
    step, x = step_model(model), paths()
    whole = model(x)
    states = {
        name: np.zeros((len(x), whole[name].shape[-1]), np.float32) for name in names_of(kind)
    }
    assert list(step.input) == ["x", *states]
    for t in range(TIME):
        after = step({"x": x[:, t], **states})
        assert list(after) == ["prediction", *(f"{name}_next" for name in states)]
        states = {name: after[f"{name}_next"].numpy() for name in states}
        close(after["prediction"], whole["prediction"][:, t], atol=3e-6)  # three times larger units
        for name, now in states.items():
            close(now, whole[name][:, t])


def test_the_one_step_twin_is_on_the_same_variables():
    model = build("lstm")
    step = step_model(model)
    assert {id(v) for v in step.trainable_variables} == {id(v) for v in model.trainable_variables}


# Other views of the same weights


@every_stack
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "loop"])
def test_a_view_shows_more_and_says_the_same(kind, fused):
    model = build(kind)
    x = paths()
    other = view(model, show=lambda cell: cell.visible, fused=fused, batch_size=5, time=TIME)
    assert other.input.shape == (5, TIME, 3)
    expected, outputs = model(x), other(x)
    kinds = [layer.cell for layer in recurrent_layers(model)]
    everything = [f"{name}_{k}" for k, cell in enumerate(kinds) for name in cell.visible]
    assert list(outputs) == ["prediction", *everything]
    for name in expected:
        close(outputs[name], expected[name], atol=3e-6)


def test_a_view_shows_what_the_model_shows_unless_asked():
    model = build("lstm")
    looped = view(model, fused=False)
    assert [layer.fused for layer in recurrent_layers(looped)] == [False] * 2
    assert list(looped(paths())) == list(model(paths()))


def test_gates_seen_in_a_view_make_the_states():
    model = build("lstm")
    values = {
        k: np.asarray(v, np.float64)
        for k, v in view(model, show=lambda cell: cell.visible)(paths()).items()
    }
    before = np.pad(values["cell_1"], ((0, 0), (1, 0), (0, 0)))[:, :-1]
    cell = values["forget_1"] * before + values["input_1"] * values["candidate_1"]
    close(values["cell_1"], cell)
    close(values["hidden_1"], values["output_1"] * np.tanh(cell))


@pytest.mark.parametrize(
    "cell",
    [
        lambda: LSTMCell(UNITS),
        lambda: GRUCell(UNITS, reset_after=False, use_bias=False),
        lambda: MaxwellCell(substeps=1),
        lambda: RelaxationCell(branches=2, substeps=1),
        lambda: LMSCCell(units=3, width=4),
        lambda: PronyCell((1.0, 2.0), (0.1, 3.0)),
    ],
    ids=["lstm", "gru", "maxwell", "relaxation", "lmsc", "prony"],
)
def test_a_view_built_before_training_predicts_as_the_trained_model(cell):
    model = recurrent_model([cell()], targets=None)
    gates = view(model, show=lambda cell: cell.visible)
    x, before = paths(), model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    model.fit(x, np.ones((*x.shape[:2], model.output["prediction"].shape[-1])), verbose=0)
    assert any(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True))
    close(gates(x)["prediction"], model(x)["prediction"], atol=1e-6)
    assert [id(v) for v in gates.weights] == [id(v) for v in model.weights]


def test_a_cell_without_weights_has_no_twin():
    with pytest.raises(ValueError, match="Expected a LSTMCell with weights"):
        LSTMCell(UNITS).showing(("hidden",))


# The plain path of Keras


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_loss_by_name_is_that_of_the_prediction(kind):
    model = build(kind)
    x = paths()
    y = np.random.default_rng(2).normal(size=(5, TIME, 1)).astype(np.float32)
    model.compile("adam", "mse", metrics=["mae"])
    loss, mae = model.evaluate(x, y, verbose=0)
    error = model(x)["prediction"].numpy() - y
    assert loss == pytest.approx(np.mean(error**2), rel=1e-5)
    assert mae == pytest.approx(np.mean(np.abs(error)), rel=1e-5)
    history = model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert set(model.predict(x, verbose=0)) == set(model.output)


@pytest.mark.parametrize("axes", [2, 3], ids=["(paths, time)", "(paths, time, 1)"])
@pytest.mark.parametrize("named", [False, True], ids=["array", "by name"])
def test_every_step_can_have_its_weight(axes, named):
    model = build("gru")
    x, rng = paths(), np.random.default_rng(2)
    y, weight = rng.normal(size=(5, TIME, 1)), rng.uniform(size=(5, TIME))
    error = model(x)["prediction"].numpy() - y
    model.compile("adam", "mse", weighted_metrics=["mae"])
    target = y if axes == 3 else y[..., 0]
    given = {"prediction": target} if named else target
    weights = {"prediction": weight} if named else weight
    loss, mae = model.evaluate(x, given, sample_weight=weights, batch_size=5, verbose=0)
    assert loss == pytest.approx(np.mean(weight * error[..., 0] ** 2), rel=1e-5)
    assert mae == pytest.approx(np.sum(weight * np.abs(error[..., 0])) / weight.sum(), rel=1e-5)
    # a step of weight 0 is not trained on
    weight[:, 4:] = 0.0
    spoilt = y.copy()
    spoilt[:, 4:] = 1e6
    before = model.get_weights()
    trained = []
    for values in (y, spoilt):
        model.set_weights(before)
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(x, values, sample_weight=weight, verbose=0)
        trained.append(model.get_weights())
    for a, b in zip(*trained, strict=True):
        close(a, b, atol=1e-6)


def test_a_dict_of_losses_trains_the_outputs_that_it_names():
    model = build("rnn")
    x = paths()
    hidden = np.zeros((5, TIME, UNITS), np.float32)
    model.compile("adam", {"hidden_0": "mse"})
    expected = np.mean(model(x)["hidden_0"].numpy() ** 2)
    assert model.evaluate(x, {"hidden_0": hidden}, verbose=0) == pytest.approx(expected, rel=1e-5)
    model.compile("adam", {"prediction": "mae"})
    expected = np.mean(np.abs(model(x)["prediction"].numpy()))
    zero = np.zeros((5, TIME, 1), np.float32)
    assert model.evaluate(x, zero, verbose=0) == pytest.approx(expected, rel=1e-5)


def operations(function):
    """Kinds of operations in a graph and in the functions that it calls."""
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
    return {node.op for node in nodes}


def test_what_is_exported_and_converted_has_the_loop(tmp_path):
    model, x = build("lstm"), paths(1)
    model.compile("adam", "mse")
    model.fit(x, np.ones((1, TIME, 1)), verbose=0)
    model.export(tmp_path / "any", verbose=False)
    served = tf.saved_model.load(tmp_path / "any").signatures["serving_default"]
    assert "BlockLSTMV2" not in operations(served)
    fixed = view(model, batch_size=1, time=TIME)
    content = tf.lite.TFLiteConverter.from_keras_model(fixed).convert()
    run = Interpreter(model_content=content).get_signature_runner()
    by_step = sorted(run(x=x).values(), key=lambda values: values.shape[-1])[0]
    close(by_step, model(x)["prediction"], atol=1e-5)


def test_training_and_prediction_have_the_fused_op():
    model, x = build("lstm"), paths(1)
    model.compile("adam", "mse", jit_compile=False)
    made = []
    original = tf.raw_ops.BlockLSTMV2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tf.raw_ops, "BlockLSTMV2", lambda **given: (made.append(1), original(**given))[1]
        )
        for use in (
            lambda: model.fit(x, np.ones((1, TIME, 1)), verbose=0),
            lambda: model.evaluate(x, np.ones((1, TIME, 1)), verbose=0),
            lambda: model.predict(x, verbose=0),
            lambda: predictor(model)(x),
            lambda: model(x),
        ):
            made.clear()
            use()
            assert len(made) >= 2


# Keras' own layers


def test_training_through_xla_takes_the_same_steps():
    x = paths()
    y, weights = np.tanh(x[..., :1]), []
    for compiled in (False, True):
        model = build("lstm")
        model.compile(keras.optimizers.SGD(1e-2), "mse", jit_compile=compiled)
        assert model.jit_compile is compiled
        model.fit(x, y, batch_size=5, epochs=3, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        close(a, b)
    model.compile("adam", "mse")
    assert not model.jit_compile  # "auto"


def test_a_plain_model_opens_where_there_is_no_zoo(tmp_path):
    x = paths()
    np.save(tmp_path / "x.npy", x)
    expected = {}
    for kind in STACKS:
        model = build(kind)
        plain_model(model).save(tmp_path / f"{kind}.keras")
        expected[kind] = model(x)
    code = """
import sys
sys.modules["zoo"] = None  # any import of it fails
import keras, numpy as np
for kind in sys.argv[1:]:
    outputs = keras.models.load_model(f"{kind}.keras")(np.load("x.npy"))
    np.savez(f"{kind}.npz", **{name: np.asarray(values) for name, values in outputs.items()})
"""
    child = subprocess.run(
        [sys.executable, "-c", code, *STACKS], cwd=tmp_path, capture_output=True, text=True
    )
    assert child.returncode == 0, child.stderr
    for kind, outputs in expected.items():
        answer = np.load(tmp_path / f"{kind}.npz")
        assert set(answer) == {"prediction", "hidden_0", "hidden_1"}
        for name in answer:
            close(answer[name], outputs[name], atol=3e-6)


def test_a_plain_model_refuses_foreign_cells():
    model = recurrent_model([MaxwellCell()], features=3, targets=None)
    with pytest.raises(TypeError, match=r"SimpleRNN, GRU or LSTM cells\. Received: MaxwellCell"):
        plain_model(model)


def test_models_of_another_kind_are_refused():
    inputs = keras.Input((None, 3))
    dense = keras.Model(inputs, keras.layers.Dense(1)(inputs), name="dense")
    for build_other in (view, step_model, plain_model, recurrent_layers):
        with pytest.raises(ValueError, match=r"from `recurrent_model`.*Received: 'dense'"):
            build_other(dense)
    hidden = VisibleRNN(SimpleRNNCell(3), name="below")(inputs)["hidden"]
    branched = keras.layers.Concatenate()([keras.layers.Dense(2, name="aside")(inputs), hidden])
    with pytest.raises(ValueError, match="a chain of layers"):
        view(keras.Model(inputs, branched))


# Front end and scaling


def test_increments_are_the_strain_step_and_the_log_of_time():
    x = paths().astype(np.float64)
    features = Increments()(x)
    expected = np.stack([*np.moveaxis(x, -1, 0), x[..., 1] * x[..., 2], np.log(x[..., 2])], -1)
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-7)
    assert Increments().compute_output_shape((None, None, 3)) == (None, None, 5)


def test_scaling_measures_every_feature():
    x = np.array([[[1.0, 10.0], [3.0, 10.0]], [[5.0, 20.0], [7.0, 20.0]]])
    y = np.array([[[0.0], [0.0]], [[2.0], [2.0]]])
    scaling = Scaling.of(x, y)
    assert scaling.x_mean == pytest.approx((4.0, 15.0))
    assert scaling.x_std == pytest.approx((5.0**0.5, 5.0))
    assert (scaling.y_mean, scaling.y_std) == ((1.0,), (1.0,))


def test_scaling_does_not_see_steps_of_weight_zero():
    x = np.array([[[1.0], [3.0], [999.0]], [[5.0], [np.nan], [np.nan]]])
    weight = np.array([[1, 1, 0], [2, 0, 0]])
    scaling = Scaling.of(x, x, weight)
    assert scaling.x_mean == pytest.approx((3.0,))
    assert scaling.x_std == pytest.approx(((8 / 3) ** 0.5,))


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6], ids=str)
def test_a_constant_keeps_its_size(constant):
    x = np.full((50, 40, 1), constant, np.float32)
    scaling = Scaling.of(x, x)
    assert scaling.x_std == scaling.y_std == (1.0,)
    assert scaling.x_mean == pytest.approx((constant,))


def test_scaled_training_data_has_mean_zero_and_deviation_one():
    x = paths(count=50)
    scaling = Scaling.of(x, x[..., :1])
    model = recurrent_model([SimpleRNNCell(UNITS)], scaling=scaling)
    scaled = model.get_layer("x_scaling")(x).numpy()
    close(scaled.mean(axis=(0, 1)), np.zeros(3), atol=1e-5)
    close(scaled.std(axis=(0, 1)), np.ones(3), atol=1e-5)
    restored = model.get_layer("y_scaling")(scaled[..., :1])
    close(restored, x[..., :1], atol=1e-5)


# Use


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_a_predictor_takes_any_number_of_paths(count):
    model = build("lstm")
    predict = predictor(model, batch_size=4)
    x = paths(count, steps=count + 2)
    close(predict(x), model(x)["prediction"], atol=3e-6)
    close(predictor(model, output="cell_1")(x), model(x)["cell_1"])


@every_stack
def test_a_saved_model_answers_the_same(kind, tmp_path):
    model = build(kind)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = paths()
    expected, outputs = model(x), again(x)
    assert list(outputs) == list(expected)
    for name, values in outputs.items():
        close(values, expected[name], atol=0)
    assert again.name == model.name
    start = {name: np.zeros((len(x), v.shape[-1]), np.float32) for name, v in expected.items()}
    start["x"] = x[:, 0]
    del start["prediction"]
    close(step_model(again)(start)["prediction"], expected["prediction"][:, 0], atol=3e-6)


@pytest.mark.parametrize("kind", ["rnn", "mixed"])
def test_a_training_step_reduces_the_loss(kind):
    model = build(kind)
    x = paths(count=16)
    y = np.cumsum(x[..., 1:2] * x[..., 2:], axis=1)
    model.compile(
        keras.optimizers.SGD(1e-3),
        loss={name: "mse" if name == "prediction" else None for name in model.output},
        jit_compile=False,
    )
    before = model.get_weights()
    losses = model.fit(x, {"prediction": y}, batch_size=16, epochs=3, verbose=0).history["loss"]
    assert losses[0] > losses[1] > losses[2]
    moved = [np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True)]
    assert all(moved)


def test_gradients_flow_through_every_state():
    model = build("lstm")
    looped = view(model, fused=False)
    x = tf.constant(paths())

    def gradients(of):
        with tf.GradientTape() as tape:
            loss = sum(tf.reduce_mean(values**2) for values in of(x).values())
        return tape.gradient(loss, model.trainable_variables)

    for by_op, by_loop in zip(gradients(model), gradients(looped), strict=True):
        assert np.abs(by_loop).max() > 0
        close(by_op, by_loop, atol=1e-5)
