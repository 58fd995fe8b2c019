"""Costs counted in a file are those of the Keras model it came from, and of closed forms."""

import dataclasses
import json
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tests import edge_models
from zoo.edge import counting, graph
from zoo.edge.__main__ import main
from zoo.edge.budget import HEARING_AID, check_budget, format_costs, read_budget
from zoo.edge.cost import measure_cost
from zoo.edge.microcontroller import KERNELS, has_kernel


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return edge_models.write_folder(tmp_path_factory.mktemp("edge") / "tiny-ear")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A small convolutional network with grouped and separable layers: Keras, and as TFLite."""
    from zoo.convnets import ConvNet, image_model
    from zoo.export import children, formats

    config = ConvNet(
        filters=(4, 6, 6),
        kernels=((5, 5), (3, 3), (3, 3)),
        strides=((2, 2), (1, 1), (1, 1)),
        paddings=((2, 2), (1, 1), (1, 1)),
        groups=(1, 1, 1),
        pools=((3, 2), None, None),
        separable=(False, True, True),
        normalisation="batch",
        dense=(10,),
    )
    model = image_model(config, (32, 24, 1), 3, name="small")
    work = tmp_path_factory.mktemp("network")
    (name,) = formats.inputs_of(model)
    specs = formats.input_specs(model, {name: (1, 32, 24, 1)})
    formats.save_endpoints(work / "saved", {"serving_default": (model, specs)})
    job = {
        "network": str(work / "saved"),
        "endpoint": "serving_default",
        "weights": "float32",
        "states": False,
        "samples": None,
        "front": None,
        "out": str(work / "small.tflite"),
    }
    (result,) = children.run_jobs(["-m", "zoo.export.convert"], [job], lambda _: None)
    assert "result" in result, result
    return model, work / "small.tflite"


def test_products_are_those_of_the_keras_layers(network):
    from zoo.convnets import layer_rows

    model, file = network
    read = graph.read(file.read_bytes(), file.name)
    expected = sum(row.macs or 0 for row in layer_rows(model))
    assert counting.multiply_accumulates(read) == expected > 10_000


def test_a_file_is_measured_without_a_folder(network):
    cost = measure_cost(network[1], hop_s=0.5, steps=20)
    assert cost.file_bytes == network[1].stat().st_size
    assert cost.macs_per_s == 2 * cost.macs
    assert 0 < cost.p50_s <= cost.p99_s <= cost.worst_s
    assert cost.p99_share_of_hop == 2 * cost.p99_s
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"} <= cost.operations.keys()
    assert not cost.missing


def test_a_folder_knows_its_hop(tiny):
    cost = measure_cost(tiny, steps=20)
    assert cost.hop_s == edge_models.HOP / edge_models.RATE_HZ
    assert cost.macs == edge_models.HOP + 3  # the mean, and three logits
    assert cost.macs_per_s == pytest.approx(cost.macs / cost.hop_s)
    assert cost.state_bytes == 4
    assert cost.weights_bytes == 4 * (edge_models.HOP + 1 + 3 + 3)
    assert cost.real_time_factor > 0 and cost.steps == 20


def test_stress_models_cost_what_their_manifest_says():
    for name in ("hysteresis-lstm", "hysteresis-gru", "hysteresis-rnn", "material-lmsc"):
        folder = f"saved_models/{name}"
        cost = measure_cost(folder, steps=10)
        with open(f"{folder}/manifest.json") as file:
            manifest = json.load(file)
        assert cost.macs == manifest["macs"]["value"]
        assert cost.hop_s is None and cost.macs_per_s is None
        extra = cost.weights_bytes - 4 * manifest["parameters"]
        assert 0 <= extra < 1000
    assert cost.missing == ()


def test_the_arena_holds_what_lives_at_once():
    g = edge_models.Graph()
    sizes = (256, 64, 32, 8)  # a chain: two neighbours live at a time
    places = [g.tensor("t0", (1, sizes[0]))]
    for before, after in pairwise(sizes):
        weights = g.tensor("w", (after, before), np.zeros((after, before)))
        options = edge_models.schema.FullyConnectedOptionsT()
        places.append(
            g.add(
                edge_models.OP.FULLY_CONNECTED, (places[-1], weights, -1), (1, after), "t", options
            )
        )
    content = g.finish({"t0": places[0]}, {"t3": places[-1]})
    read = graph.read(content, "chain")
    assert counting.arena_bytes(read) == 4 * (256 + 64)
    assert counting.multiply_accumulates(read) == 256 * 64 + 64 * 32 + 32 * 8


def test_operations_are_those_that_litert_reports(tiny):
    content = (tiny / "step.tflite").read_bytes()
    names = [op["op_name"] for op in Interpreter(model_content=content)._get_ops_details()]
    read = graph.read(content, "tiny")
    assert [op.name for op in read.operators] == [name for name in names if name != "DELEGATE"]


def test_a_fourier_transform_counts_and_has_no_kernel():
    g = edge_models.Graph()
    x = g.tensor("x", (1, 1, 512))
    out = g.add(edge_models.OP.RFFT2D, (x,), (1, 1, 257))
    read = graph.read(g.finish({"x": x}, {"y": out}), "transform")
    assert counting.multiply_accumulates(read) == 512 * 9
    assert not has_kernel("RFFT2D") and has_kernel("CONV_2D")


def test_kernels_are_operations_that_exist():
    assert set(graph.OPERATOR_NAMES.values()) >= KERNELS


def test_a_graph_without_tensors_takes_no_memory():
    empty = graph.Graph((), (), {}, {}, (), 0)
    assert (counting.arena_bytes(empty), counting.state_bytes(empty)) == (0, 0)


def test_scales_of_tensors_are_those_that_litert_reads():
    """One scale a channel is none of the tensor as a whole."""
    content = Path("saved_models/scenes-tiny/model_int8.tflite").read_bytes()
    details = {
        each["index"]: each for each in Interpreter(model_content=content).get_tensor_details()
    }
    seen = set()
    for number, tensor in enumerate(graph.read(content, "model").tensors):
        about = details[number]["quantization_parameters"]
        count = len(about["scales"])
        seen.add(min(count, 2))
        assert tensor.name == details[number]["name"]
        expected = (None, None)
        if count == 1:
            expected = (pytest.approx(about["scales"][0]), about["zero_points"][0])
        assert (tensor.scale, tensor.zero_point) == expected
    assert seen == {0, 1, 2}


def test_a_loop_is_reported_as_uncounted():
    content = Path("saved_models/hysteresis-rnn/model.tflite").read_bytes()
    assert counting.uncounted(graph.read(content, "model")) == ["WHILE"]


def test_limits_are_kept_or_not(tiny, tmp_path, capsys):
    budget = read_budget(HEARING_AID)
    assert budget == {k: float(v) for k, v in tomllib.loads(HEARING_AID.read_text()).items()}
    cost = measure_cost(tiny, steps=20)
    assert check_budget(cost, {"hop_s": 0.016, "weights_bytes": 540, "state_bytes": 3}) == {
        "hop_s": True,
        "weights_bytes": True,
        "state_bytes": False,
    }
    times = {"p50_s": 12e-6, "p99_s": 34e-6, "worst_s": 56e-6, "elapsed_p99_s": 78e-6}
    text = format_costs(dataclasses.replace(cost, **times), {})
    assert "median 12 µs, 99 % 34 µs, worst 56 µs of processor time (78 µs elapsed, 99 %)" in text
    strict = tmp_path / "strict.json"
    strict.write_text('{"weights_bytes": 539}')
    assert main(["budget", str(tiny), "--steps", "20", "--budget", str(strict)]) == 1
    text = capsys.readouterr().out
    (line,) = (line for line in text.splitlines() if line.startswith("weights"))
    assert line.split() == ["weights", "0.54", "0.539", "kB", "FAIL"]
    strict.write_text('{"weights_bytes": 540}')
    assert main(["budget", str(tiny), "--steps", "20", "--budget", str(strict), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["kept"] == {"weights_bytes": True} and facts["operations"]["SOFTMAX"] == 1


@pytest.mark.parametrize("name", ["hysteresis-lstm", "material-maxwell"])
def test_a_material_is_judged_by_its_time_step_not_by_sound(name, capsys):
    assert main(["budget", f"saved_models/{name}", "--steps", "20"]) == 0
    text = capsys.readouterr().out
    assert "unknown" not in text and "sound" not in text
    (line,) = (line for line in text.splitlines() if line.startswith("a step, 99 %"))
    *_, limit, unit, verdict = line.split()
    assert (limit, unit, verdict) == ("1", "ms", "pass")


def test_what_is_not_known_is_not_kept():
    cost = measure_cost("saved_models/hysteresis-rnn", steps=5)
    assert check_budget(cost, {"macs_per_s": 1e12, "p99_share_of_hop": 1.0, "hop_s": 1.0}) == {
        "macs_per_s": False,
        "p99_share_of_hop": False,
        "hop_s": False,
    }


@pytest.mark.parametrize("text", ["[", "a = 'x'", "3", "speed = 1"])
def test_a_budget_that_is_none_is_one_line(tmp_path, text):
    path = tmp_path / "budget.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"expected numbers by name|no such cost: speed"):
        read_budget(path)


def test_a_budget_nested_beyond_measure_is_one_line(tmp_path):
    for name, text in (("a.json", "[" * 100_000), ("a.toml", "a = " + "[" * 100_000)):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match="expected numbers by name") as caught:
            read_budget(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_damaged_file_is_one_line(tmp_path, capsys):
    content = edge_models.sound_model()
    rng = np.random.default_rng(0)
    for _ in range(40):
        data = bytearray(content)
        for place in rng.integers(len(data), size=8):
            data[place] ^= 1 << int(rng.integers(8))
        try:
            graph.read(bytes(data), "damaged")
        except ValueError as error:
            assert "damaged" in str(error)
    (tmp_path / "cut.tflite").write_bytes(content[:500])
    assert main(["budget", str(tmp_path / "cut.tflite")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
