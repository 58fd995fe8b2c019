import dataclasses
import io
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.defaults import check_defaults
from zoo import training
from zoo.checkpoints import CheckpointFile, previous_path
from zoo.training import (
    Budget,
    FitSettings,
    TrainingInterrupted,
    describe_run,
    fit,
    progress,
    state,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 5)).astype(np.float32)
Y = X @ RNG.normal(size=(5, 1)).astype(np.float32)


def batches(start: int) -> tf.data.Dataset:
    """Batch k is rows k to k + 8, whatever came before: addressed by step."""
    steps = tf.data.Dataset.range(start, tf.int64.max)
    return steps.map(
        lambda k: (
            tf.gather(X, (8 * k + tf.range(8, dtype=tf.int64)) % 64),
            tf.gather(Y, (8 * k + tf.range(8, dtype=tf.int64)) % 64),
        )
    )


def validation() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors((X, Y))


def network(activation="tanh") -> keras.Model:
    keras.utils.set_random_seed(3)
    x = keras.Input((5,))
    hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(8, activation=activation)(x))
    return keras.Model(x, keras.layers.Dense(1)(hidden))


def test_same_seed_same_weights():
    first, second = network(), network()
    for model in (first, second):
        fit(model, batches, validation(), Budget(epochs=2, steps_per_epoch=5), stream=io.StringIO())
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_long_epoch_is_not_silent_where_output_is_no_terminal(monkeypatch):
    budget = Budget(epochs=2, steps_per_epoch=4)
    monkeypatch.setattr(progress, "SILENCE_S", 0.0)
    stream = io.StringIO()
    fit(network(), batches, validation(), budget, stream=stream)
    lines = stream.getvalue().splitlines()
    assert [line.split()[:5] for line in lines[:4]] == [
        ["epoch", "1/2", "batch", str(k), "of"] for k in (1, 2, 3, 4)
    ]
    assert "left" not in lines[0]  # the first batch, which compiles, says nothing of the others
    assert "left" in lines[1] and "validation" in lines[4]
    monkeypatch.setattr(progress, "SILENCE_S", 60.0)
    stream = io.StringIO()
    fit(network(), batches, validation(), budget, stream=stream)
    assert len(stream.getvalue().splitlines()) == 2


def test_best_weights_are_kept_and_loss_is_scaled():
    model = network()
    budget = Budget(epochs=6, steps_per_epoch=10, learning_rate=0.5)  # too fast: it gets worse too
    history = fit(
        model,
        batches,
        validation(),
        budget,
        FitSettings(loss_scale=float(Y.var())),
        stream=io.StringIO(),
    )
    assert len(set(history.val_loss)) > 1
    error = np.mean((model(X) - Y) ** 2) / Y.var()
    assert error == pytest.approx(min(history.val_loss), rel=1e-4)


def test_the_last_weights_are_kept_on_request():
    model = network()
    budget = Budget(epochs=6, steps_per_epoch=10, learning_rate=0.5)  # too fast: it gets worse too
    history = fit(
        model, batches, validation(), budget, FitSettings(keep="last"), stream=io.StringIO()
    )
    error = np.mean((model(X) - Y) ** 2)
    assert error == pytest.approx(history.val_loss[-1], rel=1e-4)
    assert error > 1.01 * min(history.val_loss)


def test_learning_rate_rises_then_falls_to_zero():
    budget = Budget(epochs=10, steps_per_epoch=10, learning_rate=1e-2, warmup=0.2)
    history = fit(network(), batches, validation(), budget, stream=io.StringIO())
    assert history.learning_rate[0] == pytest.approx(5e-3, rel=0.1)
    assert max(history.learning_rate) == pytest.approx(1e-2, rel=0.05)
    assert history.learning_rate[-1] < 1e-5


def test_a_schedule_of_two_steps_ends_at_zero():
    budget = Budget(epochs=1, steps_per_epoch=2, warmup=0.5)
    history = fit(network(), batches, None, budget, stream=io.StringIO())
    assert history.learning_rate == [pytest.approx(0.0, abs=1e-12)]


def test_by_default_the_learning_rate_rises_over_a_fiftieth_of_the_steps():
    budget = Budget(epochs=5, steps_per_epoch=20, learning_rate=1e-2)  # two steps of 100
    history = fit(network(), batches, None, budget, stream=io.StringIO())
    for rate, step in zip(history.learning_rate, (20, 40, 60, 80, 100), strict=True):
        cosine = 0.5 * (1 + np.cos(np.pi * (step - 2) / 98))
        assert rate == pytest.approx(1e-2 * cosine, rel=1e-4, abs=1e-9)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def progress_lines(stream, monkeypatch, seconds, keep="best", val_loss=(0.25, 0.5, 0.125)):
    """What three epochs of four batches print, `seconds` [s] after each other."""
    now = [1000.0]  # a clock that began before
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    history = training.History()
    bar = progress.Progress(Budget(epochs=3, steps_per_epoch=4), history, stream, keep)
    bar.on_train_begin()
    for epoch in range(3):
        bar.on_epoch_begin(epoch)
        for batch in range(4):
            now[0] += seconds
            bar.on_train_batch_end(batch, {"loss": 0.5})
        history.loss.append(0.5)
        logs = {"loss": 0.5}
        if val_loss:
            history.val_loss.append(val_loss[epoch])
            logs["val_loss"] = val_loss[epoch]
        bar.on_epoch_end(epoch, logs)
    return stream.getvalue()


def test_lines_of_progress_say_how_much_time_is_left(monkeypatch):
    """A batch takes 15 s, so a line comes every second one; after k of 12, 15 (12 - k) s are left.

    Exactly 20 s after a line none is due: "longest time without a line" is 20 s.
    """
    text = progress_lines(io.StringIO(), monkeypatch, 15.0)
    assert text.splitlines() == [
        "epoch   1/3  batch 2 of 4  loss 5.00e-01  2:30 left",
        "epoch   1/3  batch 4 of 4  loss 5.00e-01  2:00 left",
        "epoch   1/3  loss 5.00e-01  validation 2.50e-01  best  2:00 left",
        "epoch   2/3  batch 2 of 4  loss 5.00e-01  1:30 left",
        "epoch   2/3  batch 4 of 4  loss 5.00e-01  1:00 left",
        "epoch   2/3  loss 5.00e-01  validation 5.00e-01  1:00 left",
        "epoch   3/3  batch 2 of 4  loss 5.00e-01  0:30 left",
        "epoch   3/3  batch 4 of 4  loss 5.00e-01",
        "epoch   3/3  loss 5.00e-01  validation 1.25e-01  best",
    ]
    assert len(progress_lines(io.StringIO(), monkeypatch, 5.0).splitlines()) == 3


def test_what_is_shown_of_data_that_does_not_choose_the_weights(monkeypatch):
    shown = progress_lines(io.StringIO(), monkeypatch, 1.0, keep="last").splitlines()
    assert shown[0] == "epoch   1/3  loss 5.00e-01  held out 2.50e-01  0:08 left"
    assert not any("best" in line for line in shown)
    shown = progress_lines(io.StringIO(), monkeypatch, 1.0, val_loss=None).splitlines()
    assert shown[0] == "epoch   1/3  loss 5.00e-01  best  0:08 left"


def test_a_terminal_shows_a_bar_ten_times_a_second(monkeypatch):
    shown = progress_lines(Terminal(), monkeypatch, 0.25).split("\r")
    bars = [line[line.rindex("[") : line.index("]") + 1] for line in shown if "]" in line]
    quarters = [f"[{('=' * 5 * k).ljust(20, '.')}]" for k in (1, 2, 3, 4)]
    assert bars == 3 * quarters
    shown = progress_lines(Terminal(), monkeypatch, 0.06).split("\r")
    assert sum("]" in line for line in shown) == 6  # every second batch
    shown = progress_lines(Terminal(), monkeypatch, 15.0).split("\r")
    assert "left" not in shown[0]
    assert [line[-9:] for line in shown[1:3]] == ["2:30 left", "2:15 left"]


def test_an_epoch_that_diverged_prints_nothing():
    history = training.History(loss=[1.0] * 1000)
    stream = io.StringIO()
    bar = progress.Progress(Budget(epochs=2000), history, stream, "best")
    bar.on_epoch_end(1000, {})
    assert stream.getvalue() == ""


class InterruptAt(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def interrupted(model, epoch, monkeypatch, settings=None):
    """Fit `model`, pressing Ctrl-C at the beginning of an epoch (counted from 0)."""
    original = model.fit

    def with_interrupt(*args, callbacks, **more):
        return original(*args, callbacks=[*callbacks, InterruptAt(epoch)], **more)

    monkeypatch.setattr(model, "fit", with_interrupt)
    return fit(
        model,
        batches,
        validation(),
        Budget(epochs=4, steps_per_epoch=5),
        settings,
        stream=io.StringIO(),
    )


def test_without_validation_the_training_loss_chooses_and_is_all_that_is_shown():
    model, progress = network(), io.StringIO()
    budget = Budget(epochs=6, steps_per_epoch=8, learning_rate=0.5)  # too fast: it gets worse too
    losses = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, logs: losses.append(logs["loss"])
    )
    history = fit(model, batches, None, budget, callbacks=[record], stream=progress)
    assert history.loss == losses and history.val_loss == []
    assert history.best_epoch == int(np.argmin(losses))
    lines = progress.getvalue().splitlines()
    assert "validation" not in progress.getvalue()
    assert "best" in lines[history.best_epoch]


def test_interrupted_training_keeps_what_it_has_on_request(monkeypatch):
    history = interrupted(network(), 2, monkeypatch, FitSettings(keep_interrupted=True))
    assert history.ended == "interrupted"
    assert len(history.loss) == 2


@pytest.mark.parametrize("keep", [False, True])
def test_interrupt_before_the_first_epoch_is_passed_on(keep, monkeypatch):
    with pytest.raises(TrainingInterrupted, match="in its first epoch; nothing is kept"):
        interrupted(network(), 0, monkeypatch, FitSettings(keep_interrupted=keep))


def test_an_interrupted_training_is_no_result_and_says_how_to_go_on(tmp_path, monkeypatch):
    with pytest.raises(TrainingInterrupted, match="after epoch 2 of 4; nothing is kept"):
        interrupted(network(), 2, monkeypatch)
    settings = FitSettings(checkpoint=tmp_path / "run.npz")
    with pytest.raises(KeyboardInterrupt, match=r"epoch 2 of 4; .* goes on from .*run\.npz"):
        interrupted(network(), 2, monkeypatch, settings)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_resumed_training_keeps_the_best_weights_of_before(keep, tmp_path, monkeypatch):
    whole, resumed = network(), network()
    target = np.asarray(whole(X))  # of the network before training: every epoch is worse

    def checked():
        return tf.data.Dataset.from_tensors((X, target))

    monkeypatch.setitem(globals(), "validation", checked)
    budget = Budget(epochs=4, steps_per_epoch=5)
    reference = fit(whole, batches, checked(), budget, FitSettings(keep=keep), stream=io.StringIO())
    assert reference.best_epoch == 0
    settings = FitSettings(checkpoint=tmp_path / "run.npz", keep=keep)
    with pytest.raises(TrainingInterrupted):
        interrupted(network(), 3, monkeypatch, settings)
    fit(resumed, batches, checked(), budget, settings, stream=io.StringIO())
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("damaged", [False, True])
def test_resumed_training_equals_an_uninterrupted_one_to_the_bit(damaged, tmp_path, monkeypatch):
    checkpoint = tmp_path / "run.npz"
    whole = network()
    budget = Budget(epochs=4, steps_per_epoch=5)
    reference = fit(whole, batches, validation(), budget, stream=io.StringIO())

    with pytest.raises(TrainingInterrupted):
        interrupted(network(), 2, monkeypatch, FitSettings(checkpoint=checkpoint))
    if damaged:
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    resumed = network()
    history = fit(
        resumed,
        batches,
        validation(),
        budget,
        FitSettings(checkpoint=checkpoint),
        stream=io.StringIO(),
    )
    assert history.loss == reference.loss
    assert history.val_loss == reference.val_loss
    assert history.seconds == sorted(history.seconds)  # it goes on from those of before
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    # and nothing half written beside them
    assert set(tmp_path.iterdir()) == {checkpoint, previous_path(checkpoint)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budget": Budget(epochs=9, steps_per_epoch=5)}, "epochs 4 there, 9 here"),
        ({"settings": {"seed": 5}}, "seed 0 there, 5 here"),
        ({"settings": {"losses": "mae"}}, "losses mse there, mae here"),
        ({"settings": {"keep": "last"}}, "keep best there, last here"),
        ({"batches": lambda step: batches(step).map(lambda x, y: (x, 7 * y))}, "other data"),
        ({"model": "relu"}, "other model"),
    ],
    ids=["budget", "seed", "loss", "keep", "data", "model"],
)
def test_checkpoint_of_another_run_is_refused(change, message, tmp_path):
    def run(model="tanh", batches=batches, budget=None, settings=None):
        fit(
            network(model),
            batches,
            validation(),
            budget or Budget(4, 5),
            FitSettings(checkpoint=tmp_path / "run.npz", **settings or {}),
            stream=io.StringIO(),
        )

    run()
    run()  # the same is taken up
    with pytest.raises(ValueError, match=f"another run: {message}"):
        run(**change)


OTHER = {
    Budget: {
        "epochs": 5,
        "steps_per_epoch": 6,
        "learning_rate": 1e-3,
        "warmup": 0.1,
        "clip_norm": 2.0,
        "patience": 3,
        "weight_decay": 0.1,
    },
    FitSettings: {
        "losses": "mae",
        "loss_scale": 2.0,
        "seed": 1,
        "compiled": True,
        "shards": 4,
        "keep": "last",
        "data": "another",
    },
}
# They do not change what is computed: places, and how many compute it.
PLACES = {"checkpoint", "keep_interrupted", "workers"}


def test_a_checkpoint_knows_every_setting():
    """A field that is added must be in the fingerprint, or be named here as one without effect."""
    kinds = {Budget: Budget(), FitSettings: FitSettings(data="x")}
    model = network()

    def described(kind=None, **change):
        budget, settings = (
            dataclasses.replace(value, **change) if each is kind else value
            for each, value in kinds.items()
        )
        return describe_run(model, batches, budget, settings)

    assert described() == described()
    for kind, changes in OTHER.items():
        assert {*changes} == {each.name for each in dataclasses.fields(kind)} - PLACES
        for name, value in changes.items():
            assert described(kind, **{name: value}) != described(), name


def test_a_checkpoint_with_a_right_checksum_and_wrong_content_is_refused(tmp_path):
    settings = FitSettings(checkpoint=tmp_path / "run.npz", data="x")
    model = network()
    fit(model, batches, None, Budget(1, 1), settings, stream=io.StringIO())
    with np.load(tmp_path / "run.npz") as saved:
        run = json.loads(str(saved["run"]))
    CheckpointFile(tmp_path / "run.npz", run).write({"variable_0": np.zeros(2)})
    with pytest.raises(ValueError, match=r"/run\.npz: no checkpoint of this model"):
        fit(network(), batches, None, Budget(1, 1), settings, stream=io.StringIO())


def test_training_that_stopped_early_does_not_go_on(tmp_path):
    budget = Budget(epochs=50, steps_per_epoch=2, learning_rate=1e-30, patience=3)
    for _ in range(2):
        settings = FitSettings(checkpoint=tmp_path / "run.npz")
        history = fit(network(), batches, validation(), budget, settings, stream=io.StringIO())
        assert (history.ended, len(history.loss)) == ("no better for 3 epochs", 4)


def test_divergence_in_the_first_epoch_is_one_line_with_the_cure():
    def poisoned(step):
        return batches(step).map(lambda x, y: (x, y * np.inf))

    with pytest.raises(ValueError, match=r"epoch 1: .* Lower --learning-rate \(now 0\.005\)"):
        fit(network(), poisoned, validation(), Budget(2, 3), stream=io.StringIO())


def test_a_loss_beyond_all_bounds_ends_the_first_epoch_early():
    """At a learning rate of 1e6 a linear layer is soon 1e6 off, its squared error 1e12 times."""
    seen = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    budget = Budget(epochs=28, steps_per_epoch=250, learning_rate=1e6)
    with pytest.raises(training.TrainingDiverged, match=r"epoch 1: .*Lower --learning-rate"):
        fit(network(), batches, None, budget, callbacks=[Count()], stream=io.StringIO())
    assert len(seen) <= 21


def test_the_loss_is_read_every_tenth_batch_and_may_grow_a_millionfold():
    model = network()
    run = state.RunState(model, Budget(epochs=1, steps_per_epoch=40), FitSettings(), None)

    def stops(batch, loss):
        model.stop_training = False
        run.on_train_batch_end(batch, {"loss": loss})
        return model.stop_training

    assert not stops(0, 2.0)
    assert not stops(1, np.nan) and not stops(9, 3e6) and not stops(11, np.inf)  # not read
    assert not stops(10, 2e6) and stops(20, 2.1e6) and stops(30, np.nan)


def test_a_training_that_did_not_end_as_planned_says_so_in_a_sentence():
    def said(ended):
        return training.describe_end(training.History([1.0, 0.5], ended=ended), 0.25)

    assert said("complete") == said("no better for 3 epochs") == ""
    assert said("interrupted").startswith("Training was interrupted after epoch 2:")
    assert said("diverged").startswith("Training diverged in epoch 3:")
    assert said("diverged").endswith("Lower --learning-rate (now 0.25).")
    training.History([1.0], ended="complete").require_whole("fold 2", 0.25)
    with pytest.raises(TrainingInterrupted, match="fold 2: Training was interrupted after epoch 1"):
        training.History([1.0], ended="interrupted").require_whole("fold 2", 0.25)


def test_who_keeps_an_interrupted_training_says_that_it_was():
    """By default Ctrl-C is raised; whoever asks for what there is has to look how it ended."""
    keepers = []
    root = Path(__file__).parents[2]
    for path in (*root.glob("zoo/**/*.py"), *root.glob("recipes/**/*.py")):
        text = path.read_text()
        if "keep_interrupted=True" in text:
            keepers.append(path.parent.name)
            assert 'history.ended == "interrupted"' in text, path
            main = path.with_name("__main__.py").read_text()
            assert 'command.INTERRUPTED if history.ended == "interrupted"' in main, path
    assert sorted(keepers) == ["hysteresis", "materials"]


def test_divergence_ends_training_with_finite_weights():
    model, stream = network(), io.StringIO()
    poisoned = batches(0).take(12).concatenate(batches(0).map(lambda x, y: (x, y * np.inf)))
    history = fit(
        model,
        lambda step: poisoned,
        validation(),
        Budget(epochs=5, steps_per_epoch=5),
        stream=stream,
    )
    assert history.ended == "diverged"
    assert len(history.loss) == 2
    assert "diverged in epoch 3" in stream.getvalue() and "Lower --learning" in stream.getvalue()
    with pytest.raises(ValueError, match="fold 1: Training diverged in epoch 3"):
        history.require_whole("fold 1", 5e-3)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_patience_stops_early():
    budget = Budget(epochs=50, steps_per_epoch=2, learning_rate=1e-30, patience=3)
    history = fit(network(), batches, validation(), budget, stream=io.StringIO())
    assert history.ended == "no better for 3 epochs"
    assert len(history.loss) == 4


def test_plain_lines_when_the_output_is_no_terminal(capsys):
    stream = io.StringIO()
    fit(network(), batches, validation(), Budget(epochs=2, steps_per_epoch=3), stream=stream)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch   1/2  loss ") and "left" in lines[0]
    assert "\x1b" not in stream.getvalue() and "\r" not in stream.getvalue()
    assert capsys.readouterr().out == ""  # Keras prints nothing besides


def test_defaults_are_what_they_were():
    assert Budget().steps == 24 * 250
    check_defaults("training")


def test_budget_refuses_nonsense():
    with pytest.raises(ValueError, match=r"`epochs` must be positive. Received: epochs=0"):
        Budget(epochs=0)
    with pytest.raises(ValueError, match=r"Received: clip_norm=-1"):
        Budget(clip_norm=-1.0)


def test_history_is_plain_numbers():
    history = fit(
        network(), batches, validation(), Budget(epochs=1, steps_per_epoch=2), stream=io.StringIO()
    )
    assert json.dumps(vars(history))


def test_weight_decay_shrinks_kernels_and_spares_offsets():
    def fitted(decay):
        model = network()
        budget = Budget(epochs=2, steps_per_epoch=20, learning_rate=1e-2, weight_decay=decay)
        fit(model, batches, validation(), budget, stream=io.StringIO())
        return model

    free, decayed = fitted(0.0), fitted(2.0)
    norms = [np.linalg.norm(model.get_weights()[0]) for model in (free, decayed)]
    assert norms[1] < 0.8 * norms[0]
    decays = decayed.optimizer._use_weight_decay
    assert [decays(v) for v in decayed.trainable_variables] == [True, False, True, False]


def test_more_callbacks_see_every_epoch():
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    budget = Budget(epochs=3, steps_per_epoch=1)
    fit(network(), batches, validation(), budget, callbacks=[watch], stream=io.StringIO())
    assert seen == [0, 1, 2]


def test_the_hash_of_a_model_holds_what_its_layers_do_and_no_names():
    def network(units=8, rate=0.2, name=None):
        x = keras.Input((5,))
        hidden = keras.layers.Dropout(rate)(keras.layers.Dense(units, name=name)(x))
        return keras.Model(x, keras.layers.Dense(1)(hidden))

    same = training.hash_model(network())
    assert len(same) == 16 and int(same, 16) >= 0
    assert training.hash_model(network(name="another")) == same
    assert training.hash_model(network(rate=0.3)) != same
    assert training.hash_model(network(units=7)) != same
