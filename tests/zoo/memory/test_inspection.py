"""Analysis of a model: its inputs, its results per layer, and the terminal animation."""

import io

import keras
import numpy as np
import pytest

from zoo.memory import inspect_model, terminal
from zoo.memory.live import play_model
from zoo.memory.report import memory_report
from zoo.memory.sample import make_sample, read_features
from zoo.models import load_keras_model


def test_results_are_those_of_every_layer_and_of_the_material(exported):
    model, manifest = load_keras_model(exported.folder)
    constants = {"modulus_mpa": 2.0, "exponent": 1.0, "nu0_s": 0.5, "sigma0_mpa": 1.0}
    result = inspect_model(model, manifest=manifest | {"material": constants})
    assert [layer.cell for layer in result.layers] == ["LSTMCell"] * 2
    steps = len(result.sample.x[0])
    for layer in result.layers:
        assert layer.width == 8 and layer.exponents.shape == (8,)
        assert layer.log_norms["full"].shape == (steps + 1,)
        assert layer.singular_values.shape == (steps, 8)
        # the direct path is at most the norm of the whole forget gate product
        assert layer.log_norms["direct"][-1] <= 0
        assert layer.gates.values["forget"].shape == (steps, 1, 4)
    # m = 1 is the linear Maxwell solid: an increment fades as exp(−t/ν0)
    stress = result.stress
    left_s = stress.time_s[-1] - stress.time_s + 0.5 * result.sample.x[0, :, 2]
    np.testing.assert_allclose(stress.material, np.exp(-left_s / 0.5), rtol=1e-4)
    assert stress.rms_difference > 0


def test_a_model_without_known_material_is_analysed_alone(exported, tmp_path):
    result = inspect_model(exported.model)
    assert result.stress.material is None and result.stress.rms_difference is None
    page = memory_report(result, {}).write(tmp_path / "page.html")[-1]
    assert "The modulus E of its material is not known" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("narrow.csv", "a\n1\n2\n", "line 2: 2 columns expected"),
        ("words.csv", "a,b\n1,2\n1,two\n", "line 3: numbers expected"),
        ("empty.csv", "a,b\n", "no rows"),
        ("gap.csv", "a,b\n1,2\n1,nan\n", "line 3: finite numbers expected"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_features(tmp_path / name, 2)


def test_semicolons_and_blank_lines_are_read(tmp_path):
    (tmp_path / "two.csv").write_text("a;b\n1;2\n\n3;4\n")
    np.testing.assert_array_equal(read_features(tmp_path / "two.csv", 2), [[1, 2], [3, 4]])


def test_a_model_of_images_is_refused():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 2)])
    with pytest.raises(ValueError, match="one input"):
        make_sample(model, None)


def test_bars_show_values_by_their_height():
    assert terminal.format_bars(np.array([0.0, 0.5, 1.0, 2.0, -1.0]), 0.0, 1.0) == "▁▅██▁"


def test_frames_distinguish_gates_and_states():
    rows = {"gate": np.array([[0.0, 1.0]]), "state": np.array([[-2.0, 2.0]])}
    (frame,) = terminal.make_frames(lambda step: f"step {step}", rows, width=80)
    assert frame.splitlines() == ["step 0", "gate   ▁█", "state  ▁█"]
    (narrow,) = terminal.make_frames(lambda step: "a long head", rows, width=8)
    assert narrow.splitlines() == ["a long h", "gate   ▁", "state  ▁"]


def test_a_terminal_is_drawn_over():
    class Screen(io.StringIO):
        def isatty(self):
            return True

    screen = Screen()
    rows = {"gate": np.array([[0.0], [1.0]])}
    terminal.play_frames(lambda step: f"step {step}", rows, steps_per_second=1e6, stream=screen)
    assert screen.getvalue().count("\x1b[2A") == 1


def test_a_layer_behind_a_stride_has_longer_steps(capsys):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 2))
    h = keras.layers.LSTM(3, return_sequences=True)(inputs)
    h = keras.layers.LSTM(2, name="slow")(keras.layers.MaxPooling1D(2)(h))
    model = keras.Model(inputs, h)
    fast, slow = inspect_model(model).layers
    assert len(fast.radius) == 8 and len(slow.radius) == 4
    assert fast.gates and slow.gates
    decay = np.log(slow.gates.values["forget"]).mean(axis=0)
    np.testing.assert_allclose(slow.gates.time_constants, (-2 / decay).mean(axis=0), rtol=1e-5)
    play_model(model)
    assert "step 8/8" in capsys.readouterr().out
