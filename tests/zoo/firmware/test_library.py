"""Front end, network and decision in plain C give what the runtime in Python gives."""

import ctypes
import dataclasses
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import zoo.edge
from zoo import firmware
from zoo.edge import Condition, DecisionSettings, LabelRule
from zoo.edge.decision import LevelRule, PairDwell
from zoo.edge.offset import OffsetFilter
from zoo.firmware import c_math, fourier, hearing_aid
from zoo.firmware.front_end import front_end_of

MODEL = Path(__file__).parents[3] / "saved_models" / "hearing-aid"
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O2")
HOP, RATE = 256, 16_000
CONDITIONS = ("sound", "silent", "clipped", "gap", "not finite")
SHIM = """#include "hearing_aid_hearing_aid.h"
static hearing_aid_state state;
void start(void);
int hop(const float *samples, int is_gap);
int program(void);
const float *probabilities(void);
void hop_of_features(const float *features, float power);
void start(void) { hearing_aid_init(&state); }
void hop_of_features(const float *features, float power)
{ hearing_aid_hop_of_features(&state, features, power); }
int hop(const float *samples, int is_gap) { return (int)hearing_aid_hop(&state, samples, is_gap); }
int program(void) { return hearing_aid_program(&state); }
const float *probabilities(void) { return state.probabilities; }
"""


def compiled(sources, out, *options):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    command = ["gcc", *STRICT, "-shared", "-fPIC", *options, *map(str, sources), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    return ctypes.CDLL(str(out))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    out = tmp_path_factory.mktemp("library")
    firmware.write(MODEL, out, steps=2)
    (out / "shim.c").write_text(SHIM)
    return out


def library(folder, out):
    names = ("network", "hearing_aid", "front_end")
    sources = [*(folder / f"hearing_aid_{name}.c" for name in names), folder / "shim.c"]
    result = compiled(sources, out, "-ffreestanding")  # no header but those of the compiler
    result.probabilities.restype = ctypes.POINTER(ctypes.c_float)
    return result


@pytest.mark.parametrize("length", [8, 16, 128, 512, 2048])
def test_the_spectrum_is_that_of_numpy(length, tmp_path):
    source = tmp_path / "spectrum.c"
    text = fourier.tables("x", length) + fourier.function("x", length)
    source.write_text(f"{text}void run(float *x);\nvoid run(float *x) {{ x_spectrum(x); }}\n")
    run = compiled([source], tmp_path / "spectrum.so").run
    x = np.random.default_rng(length).normal(size=length).astype(np.float32)
    buffer = np.concatenate([x, [0, 0]]).astype(np.float32)
    run(buffer.ctypes.data_as(ctypes.c_void_p))
    expected = np.abs(np.fft.rfft(x)) ** 2
    np.testing.assert_allclose(buffer[: length // 2 + 1], expected, atol=1e-5 * expected.max())


def test_elementary_functions_are_those_of_numpy(tmp_path):
    source = tmp_path / "math.c"
    names = ("log", "exp", "tanh", "logistic", "sqrt")
    wrappers = "".join(
        f"float {n}_(float x);\nfloat {n}_(float x) {{ return zoo_{n}(x); }}\n" for n in names
    )
    source.write_text("#include <stdint.h>\n" + c_math.functions(*names) + wrappers)
    made = compiled([source], tmp_path / "math.so", "-ffreestanding")

    def call(name, x):
        function = getattr(made, f"{name}_")
        function.restype, function.argtypes = ctypes.c_float, [ctypes.c_float]
        return np.array([function(float(value)) for value in x])

    positive = np.float32(10.0 ** np.linspace(-37, 38, 2000))
    signed = np.float32(np.linspace(-30, 30, 2001))
    np.testing.assert_allclose(call("log", positive), np.log(positive), rtol=4e-7, atol=1e-7)
    np.testing.assert_allclose(call("sqrt", positive), np.sqrt(positive), rtol=4e-7)
    exponents = np.float32(np.linspace(-86, 88, 2000))
    np.testing.assert_allclose(call("exp", exponents), np.exp(exponents.astype(float)), rtol=4e-7)
    np.testing.assert_allclose(call("tanh", signed), np.tanh(signed.astype(float)), atol=4e-7)
    expected = 1 / (1 + np.exp(-signed.astype(float)))
    np.testing.assert_allclose(call("logistic", signed), expected, atol=4e-7)
    assert call("exp", [-1000.0])[0] == 0 and np.isfinite(call("exp", [1000.0])[0])
    assert call("sqrt", [0.0])[0] == 0


def test_features_are_within_a_tenth_of_a_decibel(files, tmp_path):
    made = library(files, tmp_path / "ear.so")
    manifest = zoo.edge.open(MODEL).manifest
    front_end = front_end_of(manifest, streams=True)
    rng = np.random.default_rng(0)
    t = np.arange(40 * HOP) / RATE
    x = 0.5 * np.sin(2 * np.pi * 1000 * t) + rng.normal(scale=1e-4, size=len(t))
    frames = np.lib.stride_tricks.sliding_window_view(x, 512)[::HOP].astype(np.float32)
    band, span = np.zeros(front_end.bands, np.float32), front_end.window_weights()
    for frame in frames:
        made.hearing_aid_features(
            np.ascontiguousarray(frame).ctypes.data_as(ctypes.c_void_p),
            band.ctypes.data_as(ctypes.c_void_p),
        )
        power = np.abs(np.fft.rfft(frame.astype(float) * span)) ** 2
        expected = 10 * np.log10(np.maximum(power @ front_end.mel_weights(), 1e-10))
        np.testing.assert_allclose(band, expected, atol=0.1)


def sound(seconds=24):
    """Noises, tones and clicks at several levels, with an offset and every fault."""
    rng = np.random.default_rng(1)
    parts = []
    for k in range(seconds // 2):
        t = np.arange(2 * RATE) / RATE
        noise = np.cumsum(rng.normal(size=len(t))) * 0.02 if k % 3 else rng.normal(size=len(t))
        tone = np.sin(2 * np.pi * rng.uniform(100, 3000) * t) * (np.sin(2 * np.pi * 4 * t) > 0)
        part = noise * rng.uniform(0, 1) + tone * rng.uniform(0, 2)
        part -= part.mean()
        parts.append(part / np.abs(part).max() * 10 ** (rng.uniform(-60, -2) / 20))
    x = np.concatenate(parts).astype(np.float32)
    x[60 * HOP :] += 0.02
    x[200 * HOP + 7] = np.nan
    x[300 * HOP + 5 : 300 * HOP + 9] = 1.0
    x[350 * HOP : 352 * HOP] = np.sign(x[350 * HOP : 352 * HOP])
    x[400 * HOP : 410 * HOP] = 0.0
    x[500 * HOP + 3] = np.inf
    return x[: len(x) // HOP * HOP]


def compare(made, classifier, x, gaps=()):
    """Shares of hops with the same condition and program; largest difference of a probability."""
    numbers = {name: k for k, name in enumerate(classifier.classes)} | {None: -1}
    made.start()
    conditions, programs, largest = [], [], 0.0
    classifier.reset()
    for k, hop in enumerate(x.reshape(-1, HOP)):
        if k in gaps:
            classifier.mark_gap()
        (result,) = classifier.process(hop)
        condition = made.hop(np.ascontiguousarray(hop).ctypes.data_as(ctypes.c_void_p), k in gaps)
        conditions.append(CONDITIONS[condition] == result.condition)
        programs.append(made.program() == numbers[result.program.name])
        if result.condition is Condition.SOUND:
            p = np.ctypeslib.as_array(made.probabilities(), (len(classifier.classes),))
            largest = max(largest, float(np.abs(p - result.probabilities).max()))
    return np.mean(conditions), np.mean(programs), largest


SETTINGS = {
    "shipped": None,
    "average": DecisionSettings(
        0.3,
        0.4,
        0.3,
        0.15,
        0.5,
        (
            LevelRule("quiet", certain_below=-70.0, impossible_above=-50.0),
            LevelRule("music", -90.0),
        ),
        enter_by_class={"speech": 0.6},
        leave_by_class={"noise": 0.2},
        dwell_by_pair=(PairDwell("noise", "speech", 1.5),),
    ),
    "hmm": DecisionSettings(
        enter=0.8,
        leave=0.5,
        abstain_below=0.05,
        dwell_s=0.2,
        method="hmm",
        weight_per_s=6.0,
        changes_per_min=3.0,
        offsets={"music": 0.7, "quiet": -0.4},
    ),
}


@pytest.mark.parametrize("method", SETTINGS)
def test_the_library_does_what_the_runtime_does(files, tmp_path, method):
    folder = shutil.copytree(files, tmp_path / "c")
    model = zoo.edge.open(MODEL)
    if SETTINGS[method] is not None:
        front_end = front_end_of(model.manifest, streams=True)
        abstain_below = 0.5 if method == "hmm" else None
        model.manifest = {**model.manifest, "abstain_below": abstain_below}
        rule = LabelRule.from_manifest(model.manifest)
        text = hearing_aid.source("hearing_aid", front_end, SETTINGS[method], rule)
        (folder / "hearing_aid_hearing_aid.c").write_text(text)
        model.manifest = {**model.manifest, "decision": SETTINGS[method].to_dict()}
    made = library(folder, tmp_path / "ear.so")
    x = sound()
    gaps = {250, 255, 350}  # the last one is clipped, too
    conditions, programs, largest = compare(made, zoo.edge.StreamClassifier(model), x, gaps)
    assert conditions == 1
    assert programs >= 0.999
    assert largest < 1e-3


def test_features_of_another_front_end_give_the_same_programs(files, tmp_path):
    made = library(files, tmp_path / "ear.so")
    x = sound()
    x = np.clip(np.nan_to_num(x[: 450 * HOP], posinf=0.0), -0.99, 0.99)
    x = (x + 1e-4 * np.random.default_rng(2).standard_normal(len(x))).astype(np.float32)
    model = zoo.edge.open(MODEL)
    classifier = zoo.edge.StreamClassifier(model)
    numbers = {name: k for k, name in enumerate(classifier.classes)} | {None: -1}
    expected = [numbers[each.program.name] for each in classifier.process(x)]
    offset = OffsetFilter(RATE)
    front_end = front_end_of(model.manifest, streams=True)
    heard = np.concatenate([np.zeros(HOP), *(offset.process(hop) for hop in x.reshape(-1, HOP))])
    made.hop_of_features.argtypes = [ctypes.c_void_p, ctypes.c_float]
    made.start()
    programs = []
    for frame in np.lib.stride_tricks.sliding_window_view(heard, 2 * HOP)[::HOP]:
        power = np.abs(np.fft.rfft(frame * front_end.window_weights())) ** 2
        level_db = 10 * np.log10(np.maximum(power @ front_end.mel_weights(), 1e-10))
        features = np.ascontiguousarray(level_db, np.float32)
        made.hop_of_features(features.ctypes.data, float(np.mean(frame[HOP:] ** 2)))
        programs.append(made.program())
    assert len(set(programs)) > 1
    assert np.mean(np.array(programs) == expected) >= 0.99


def test_an_operation_without_plain_c_is_named_in_the_header(tmp_path):
    from zoo.edge import graph
    from zoo.firmware.plain_network import write_network

    content = (MODEL.parent / "hearing-aid" / "step.tflite").read_bytes()
    parsed = graph.read(content, "step.tflite")
    with pytest.raises(ValueError, match="Expected the input 'features'"):
        write_network("x", parsed, "features", "probabilities", "x.h")
    with pytest.raises(ValueError, match=r"plain C|float32"):
        write_network("x", parsed, "waveform", "probabilities", "x.h")
    odd = dataclasses.replace(
        parsed,
        operators=tuple(
            dataclasses.replace(each, name="TOPK_V2") if each.name == "SOFTMAX" else each
            for each in parsed.operators[-20:]
        ),
    )
    with pytest.raises(ValueError, match="Received: TOPK_V2"):
        write_network("x", odd, "waveform", "probabilities", "x.h")


def test_a_taught_classifier_is_the_same_in_plain_c(tmp_path):
    import keras

    from zoo.convnets.open_set import OpenSet
    from zoo.edge import graph
    from zoo.export import children, formats
    from zoo.firmware.plain_network import write_network

    features = keras.Input((6, 4, 2), name="features")
    embedding = keras.layers.Dense(5)(keras.layers.Flatten()(features))
    probabilities = OpenSet(3, 7, name="probabilities")(embedding)
    model = keras.Model({"features": features}, {"probabilities": probabilities})
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    one = formats.one_row(model)
    endpoint = {"serving_default": (model, formats.input_specs(model, one))}
    formats.save_endpoints(tmp_path / "saved", endpoint)
    job = {
        **{"network": str(tmp_path / "saved"), "endpoint": "serving_default", "states": False},
        **{"weights": "float32", "samples": None, "front": None, "out": str(tmp_path / "x.tflite")},
    }
    (result,) = children.run_jobs(["-m", "zoo.export.convert"], [job], lambda _: None)
    assert "result" in result, result
    content = (tmp_path / "x.tflite").read_bytes()
    parsed = graph.read(content, "model.tflite")
    assert {"L2_NORMALIZATION", "REDUCE_MAX"} <= {each.name for each in parsed.operators}
    plain = write_network("x", parsed, "features", "probabilities", "x.h")
    (tmp_path / "x.h").write_text(plain.declarations)
    (tmp_path / "x_network.c").write_text(plain.source)
    built = ["gcc", "-std=c99", "-Wall", "-Werror", "-shared", "-fPIC", "x_network.c", "-o", "x.so"]
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc")
    subprocess.run(built, cwd=tmp_path, check=True)
    made = ctypes.CDLL(str(tmp_path / "x.so"))
    for scale in (1.0, 0.0):  # and an embedding that is the bias alone
        x = (scale * rng.normal(size=(1, 6, 4, 2))).astype(np.float32)
        p = np.zeros(4, np.float32)
        made.x_network(None, x.ctypes.data_as(ctypes.c_void_p), p.ctypes.data_as(ctypes.c_void_p))
        expected = keras.ops.convert_to_numpy(model({"features": x})["probabilities"])[0]
        np.testing.assert_allclose(p, expected, atol=1e-5)
