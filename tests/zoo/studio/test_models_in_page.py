"""What the page computes is what Python computes."""

import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from zoo import folders
from zoo.data.maxwell import Material, stress_response
from zoo.edge.resampling import Resampler
from zoo.studio.gates import with_gates

RUN = """(async (name, x) => {{
  const {{ modelSimulation }} = await import("./stepmodel.js");
  const simulation = modelSimulation(await studio.openModel(name));
  let state = simulation.start();
  return x.map((step) => {{
    const after = simulation.advance(state, step);
    state = after.state;
    return after.stress;
  }});
}})({name}, {x})"""


@pytest.mark.parametrize("name", ["hysteresis-lstm", "material-relaxation", "material-maxwell"])
def test_steps_equal_the_golden_outputs(page, name):
    with np.load(folders.find(name) / "golden.npz") as golden:
        x, expected = golden["x"], golden["prediction"]
    for case in (0, len(x) - 1):
        assert len(x[case]) >= 200
        stress = page.evaluate(RUN.format(name=json.dumps(name), x=json.dumps(x[case].tolist())))
        worst = np.abs(np.array(stress) - expected[case, :, 0]).max()
        assert worst < 1e-4 * max(1.0, np.abs(expected[case]).max())
    assert page.errors == []


def test_the_exact_law_equals_the_closed_form(page):
    rng = np.random.default_rng(0)
    dt = 0.05
    for exponent in (1.5, 3.0):
        rate = np.repeat(rng.uniform(-8, 8, 12), 5)
        rate[20:30] = 0.0
        constants = {"modulus_mpa": 2.0, "nu0_s": 0.7, "sigma0_mpa": 1.3, "exponent": exponent}
        script = f"""(async () => {{
          const {{ advanceStress }} = await import("./law.js");
          let stress = 0;
          return {json.dumps(rate.tolist())}.map((rate) =>
            stress = advanceStress(stress, rate, {dt}, {json.dumps(constants)}));
        }})()"""
        exact = stress_response(rate[None], np.full((1, 60), dt), Material(**constants))[0]
        np.testing.assert_allclose(page.evaluate(script), exact, atol=1e-5)


@pytest.mark.parametrize("from_hz", [44_100, 48_000, 47_999, 16_000])
def test_resampling_equals_pythons_block_by_block(page, from_hz):
    sound = np.random.default_rng(1).uniform(-1, 1, 3000).astype(np.float32)
    python = Resampler(from_hz, 16_000)
    expected = np.concatenate([python.process(sound), python.finish()])
    script = f"""(async () => {{
      const {{ Resampler }} = await import("./resample.js");
      const sound = Float32Array.from({json.dumps(sound.tolist())});
      const resampler = new Resampler({from_hz}, 16000);
      const parts = [0, 700, 701, 2500].map((start, k, starts) =>
        resampler.process(sound.subarray(start, starts[k + 1])));
      return [...parts, resampler.finish()].flatMap((part) => Array.from(part));
    }})()"""
    np.testing.assert_allclose(page.evaluate(script), expected, atol=2e-6)


def test_gates_of_an_lstm_make_its_next_cell_state():
    content = with_gates((folders.find("hysteresis-lstm") / "step.tflite").read_bytes())
    run = Interpreter(model_content=content).get_signature_runner("step")
    rng = np.random.default_rng(2)
    sizes = {name: each["shape"] for name, each in run.get_input_details().items()}
    inputs = {name: rng.uniform(-0.9, 0.9, size).astype(np.float32) for name, size in sizes.items()}
    inputs["x"] = np.array([[0.3, 1.0, 0.1]], np.float32)
    out = run(**inputs)
    for layer in (0, 1):
        i, f, g, o = (
            out[f"{name}_{layer}"]
            for name in ("input_gate", "forget_gate", "candidate", "output_gate")
        )
        cell = f * inputs[f"cell_{layer}"] + i * g
        np.testing.assert_allclose(out[f"cell_{layer}_next"], cell, atol=1e-6)
        np.testing.assert_allclose(out[f"hidden_{layer}_next"], o * np.tanh(cell), atol=1e-6)


def test_gates_of_a_gru_make_its_next_state():
    content = with_gates((folders.find("hysteresis-gru") / "step.tflite").read_bytes())
    run = Interpreter(model_content=content).get_signature_runner("step")
    sizes = {name: each["shape"] for name, each in run.get_input_details().items()}
    inputs = {name: np.full(size, 0.3, np.float32) for name, size in sizes.items()}
    inputs["x"] = np.array([[0.3, 1.0, 0.1]], np.float32)
    out = run(**inputs)
    for layer in (0, 1):
        z, candidate = out[f"update_gate_{layer}"], out[f"candidate_{layer}"]
        state = z * inputs[f"hidden_{layer}"] + (1 - z) * candidate
        np.testing.assert_allclose(out[f"hidden_{layer}_next"], state, atol=1e-6)
        assert ((out[f"reset_gate_{layer}"] > 0) & (out[f"reset_gate_{layer}"] < 1)).all()


def test_a_model_without_gates_stays():
    content = (folders.find("material-relaxation") / "step.tflite").read_bytes()
    assert with_gates(content) is content
