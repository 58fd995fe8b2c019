"""TensorFlow Lite Micro runs what is claimed to run in it, with LiteRT's outputs."""

import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import zoo.edge
from tests import edge_models
from zoo import firmware, presets
from zoo.convnets import last_float_layer_of
from zoo.edge import graph, micro
from zoo.edge.microcontroller import obstacles
from zoo.export import formats
from zoo.export.convert import convert
from zoo.metrics.familiarity import unit_vectors
from zoo.teaching.heads import Head
from zoo.teaching.model import build_classifier

MODELS = Path(__file__).parents[3] / "saved_models"
STRESS = sorted(path for path in MODELS.glob("*/step*.tflite") if "hearing" not in str(path))
SOUND = [
    (folder, weights)
    for folder in ("hearing-aid", "scenes-tiny", "wheeze-tiny")
    for weights in ("float32", "int8")
]
NEEDED = "the package tflite-micro is not installed: pip install --pre tflite-micro"
needs_micro = pytest.mark.skipif(not micro.is_installed(), reason=NEEDED)


def runs(path):
    return not obstacles(graph.read(path.read_bytes(), path.name))


def compare(content, name, make_inputs, steps):
    """Output -> largest difference from LiteRT, its states fed back, and largest value."""
    parsed = graph.read(content, name)
    reference = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    reference.allocate_tensors()
    model = micro.MicroModel(content, name)
    states = {
        each: np.zeros(parsed.tensors[parsed.inputs[each]].shape, np.float32)
        for each in parsed.states
    }
    states |= {each: value + make_inputs.initial.get(each, 0) for each, value in states.items()}
    differences, sizes = dict.fromkeys(parsed.outputs, 0.0), dict.fromkeys(parsed.outputs, 1e-3)
    for k in range(steps):
        inputs = {parsed.main_input: make_inputs(k, parsed), **states}
        for each, value in inputs.items():
            reference.set_tensor(parsed.inputs[each], value.astype(np.float32))
        reference.invoke()
        expected = {each: reference.get_tensor(place) for each, place in parsed.outputs.items()}
        outputs = model.run({each: value.astype(np.float32) for each, value in inputs.items()})
        for each, value in expected.items():
            difference = float(np.abs(outputs[each] - value).max())
            differences[each] = max(differences[each], difference)
            sizes[each] = max(sizes[each], float(np.abs(value).max()))
        states = {each: expected[after] for each, after in parsed.states.items()}
    return {each: (differences[each], sizes[each]) for each in parsed.outputs}


class Golden:
    """Steps of the first golden case."""

    def __init__(self, folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        signature = manifest["signatures"]["step"]["inputs"]
        self.initial = {each: entry.get("initial", 0.0) for each, entry in signature.items()}
        self.x = np.load(folder / "golden.npz")["x"][0]

    def __call__(self, k, parsed):
        return self.x[k][None]


class Noise:
    """Features of noise [dB]."""

    initial: dict = {}  # noqa: RUF012 (not changed)

    def __call__(self, k, parsed):
        shape = parsed.tensors[parsed.inputs[parsed.main_input]].shape
        return np.random.default_rng(k).uniform(-90, 0, shape).astype(np.float32)


@needs_micro
@pytest.mark.parametrize(
    "path", [each for each in STRESS if runs(each)], ids=lambda p: f"{p.parent.name}-{p.name}"
)
def test_a_stress_step_is_that_of_litert(path):
    content = path.read_bytes()
    result = compare(content, path.name, Golden(path.parent), 200)
    for difference, size in result.values():
        # products of 16 bits are rounded in another order, and states are fed back
        assert difference <= (0.05 if "int8" in path.name else 1e-4) * size


@needs_micro
@pytest.mark.parametrize(("name", "weights"), SOUND)
def test_the_network_behind_a_front_end_is_that_of_litert(name, weights):
    content = firmware.microcontroller_file(MODELS / name, weights=weights)
    assert obstacles(graph.read(content, name)) == ()
    tolerance = 0.03 if weights == "int8" else 1e-3
    for difference, size in compare(content, name, Noise(), 6).values():
        assert difference <= tolerance * size


def taught_network(folder, weights):
    """Network behind the front end of a classifier of two classes and "unknown", as a file."""
    base = presets.sound(
        "residual_tiny_causal", 12, sample_rate_hz=8000, duration_s=0.5, task="embedding"
    )
    rng = np.random.default_rng(0)
    draws = [rng.standard_normal(shape).astype("f4") for shape in ((12, 2), (2,), (7, 12))]
    head = Head("linear", 3 * draws[0], draws[1], unit_vectors(draws[2]).T, 0.3)
    model = build_classifier(base, head, "taught")
    _, network = formats.split_model(model, last_float_layer_of(model))
    shape = (1, *network.input["features"].shape[1:])
    signature = formats.input_specs(network, {"features": shape})
    formats.save_endpoints(folder / "network", {"serving_default": (network, signature)})
    features = rng.uniform(-90, 0, (16, *shape[1:])).astype("f4")
    np.savez(folder / "samples.npz", features=features)
    job = {"network": str(folder / "network"), "endpoint": "serving_default", "weights": weights}
    job |= {"states": False, "samples": str(folder / "samples.npz"), "front": None}
    convert(job | {"out": str(folder / "network.tflite")})
    return (folder / "network.tflite").read_bytes()


@needs_micro
@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_a_taught_classifier_is_that_of_litert(weights, tmp_path):
    content = taught_network(tmp_path, weights)
    assert obstacles(graph.read(content, "taught")) == ()
    tolerance = 0.03 if weights == "int8" else 1e-3
    for difference, size in compare(content, "taught", Noise(), 6).values():
        assert difference <= tolerance * size


@needs_micro
def test_the_arena_is_at_least_its_tensors():
    path = MODELS / "hysteresis-lstm" / "step.tflite"
    content = path.read_bytes()
    arena = micro.arena_of(content, path.name)
    assert arena is not None
    from zoo.edge import counting

    assert counting.arena_bytes(graph.read(content, path.name)) < arena < 50_000
    micro.MicroModel(content, path.name, 2 * arena)
    with pytest.raises(ValueError, match="does not run in TensorFlow Lite Micro in 1024 bytes"):
        micro.MicroModel(content, path.name, 1024)


@needs_micro
def test_what_has_an_obstacle_does_not_run():
    for path in STRESS:
        if not runs(path) and path.parent.name.startswith("hysteresis"):
            with pytest.raises(ValueError, match="does not run in TensorFlow Lite Micro"):
                micro.MicroModel(path.read_bytes(), path.name)


def test_obstacles_are_named():
    def of(name):
        return obstacles(graph.read((MODELS / name).read_bytes(), name))

    assert "no kernel of RFFT2D" in of("hearing-aid/step.tflite")
    assert of("hysteresis-rnn/step.tflite") == of("hysteresis-lstm-wide/step_int8.tflite") == ()
    assert of("hysteresis-lstm/step_dynamic.tflite") == ("FULLY_CONNECTED of float32 by int8",)
    assert of("hysteresis-lstm/step_float16.tflite") == ("weights of float16",)
    assert "a loop or a branch" in of("hysteresis-lstm/model.tflite")


def test_without_the_package_it_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr(micro, "PACKAGE", "no_such_package")
    content = (MODELS / "hysteresis-rnn" / "step.tflite").read_bytes()
    assert micro.arena_of(content, "step.tflite") is None
    with pytest.raises(ValueError, match="needs the package tflite-micro"):
        micro.MicroModel(content, "step.tflite")
    folder = edge_models.write_folder(tmp_path / "tiny-ear")
    assert zoo.edge.open(folder).input_name == "waveform"
