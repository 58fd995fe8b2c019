"""C files compile without a warning, hold the model byte for byte, and compute its features."""

import ctypes
import json
import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.signal
from ai_edge_litert.interpreter import Interpreter

import zoo.edge
from tests import edge_models
from zoo import firmware
from zoo.edge import counting, graph
from zoo.firmware.__main__ import main
from zoo.firmware.c_syntax import float_literal, identifier

STRESS = (
    Path(__file__).parents[3] / "saved_models" / "hysteresis-lstm-wide"
)  # with a file in 8 bits
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O2")


@pytest.fixture(scope="module")
def ear(tmp_path_factory):
    """Model folder of a sound model, and its C files."""
    work = tmp_path_factory.mktemp("firmware")
    folder = edge_models.write_folder(work / "tiny-ear")
    firmware.write(folder, work / "c", steps=5)
    return folder, work / "c"


@pytest.fixture(scope="module")
def streaming(tmp_path_factory):
    """Model folder of a Keras model that streams: front end, one dense layer, a state."""
    import keras

    from zoo.export import children, formats
    from zoo.spectrogram import FrontEnd, StreamingSpectrogram

    keras.utils.set_random_seed(0)
    front = StreamingSpectrogram(FrontEnd(**edge_models.FRONT_END))
    waveform, samples = keras.Input((128,), name="waveform"), keras.Input((128,), name="samples")
    hidden = keras.Input((3,), name="hidden")
    streamed = front({"hop": waveform, "samples": samples})
    scaled = keras.layers.Rescaling(0.02, 1.0)(streamed["frame"][:, 0, :, 0])
    after = keras.ops.tanh(keras.layers.Dense(3)(scaled) + hidden)
    model = keras.Model(
        {"waveform": waveform, "samples": samples, "hidden": hidden},
        {
            "probabilities": keras.ops.softmax(after),
            "samples_next": streamed["samples_next"],
            "hidden_next": after,
        },
    )
    work = tmp_path_factory.mktemp("streaming")
    one = formats.one_row(model)
    formats.save_endpoints(work / "saved", {"step": (model, formats.input_specs(model, one))})
    job = {
        **{"network": str(work / "saved"), "endpoint": "step", "weights": "float32"},
        **{"states": True, "samples": None, "front": None, "out": str(work / "step.tflite")},
    }
    (result,) = children.run_jobs(["-m", "zoo.export.convert"], [job], lambda _: None)
    assert "result" in result, result
    tensor = {"dtype": "float32", "unit": "-", "meaning": "of a test"}
    signature = {
        "inputs": {name: {"shape": list(shape), **tensor} for name, shape in one.items()},
        "outputs": {},
    }
    return edge_models.write_folder(
        work / "streaming-ear",
        (work / "step.tflite").read_bytes(),
        name="streaming-ear",
        signatures={"step": signature},
    )


def gcc(folder, out, *options):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    sources = [str(path) for path in sorted(folder.glob("*.c"))]
    done = subprocess.run(
        ["gcc", *STRICT, *options, *sources, "-lm", "-o", str(out)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[:3000]
    return out


def checked(folder):
    """Exit code and lines of the program that checks the files."""
    done = subprocess.run([gcc(folder, folder / "check")], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def floats(library, name, count):
    return np.array((ctypes.c_float * count).in_dll(library, name))


def test_the_program_finds_model_and_features_right(ear):
    folder, out = ear
    code, lines = checked(out)
    assert code == 0 and lines[-1] == "right"
    content = (folder / "step.tflite").read_bytes()
    assert lines[0] == f"model {len(content)} bytes crc32 {zlib.crc32(content):08x}"
    (features,) = (line for line in lines if line.startswith("features"))
    assert features.startswith("features of 5 frames") and float(features.split()[-1]) < 1e-3


def test_tensors_stand_in_the_order_of_the_runtime(ear):
    folder, out = ear
    _, lines = checked(out)
    interpreter = Interpreter(model_content=(folder / "step.tflite").read_bytes())
    for side, details in (
        ("input", interpreter.get_input_details()),
        ("output", interpreter.get_output_details()),
    ):
        shapes = [line.split()[3:5] for line in lines if line.startswith(side)]
        assert shapes == [[str(n) for n in each["shape"]] for each in details]


def test_a_wrong_byte_and_a_wrong_weight_are_found(ear, tmp_path):
    _, out = ear
    for file, old, new in (
        ("tiny_ear_model.c", "0x54, 0x46, 0x4c, 0x33", "0x54, 0x46, 0x4c, 0x34"),
        ("tiny_ear_front_end.c", "ei + ti) * (ei + ti)", "ei + ti)"),
    ):
        work = shutil.copytree(out, tmp_path / file)
        text = (work / file).read_text()
        assert old in text
        (work / file).write_text(text.replace(old, new))
        code, lines = checked(work)
        assert code == 1 and lines[-1] == "WRONG"


def test_tables_are_those_of_scipy_and_librosa(ear, tmp_path):
    library = ctypes.CDLL(str(gcc(ear[1], tmp_path / "ear.so", "-shared", "-fPIC")))
    window = floats(library, "tiny_ear_window", 256)
    np.testing.assert_allclose(window, scipy.signal.get_window("hann", 256), atol=1e-7)
    mel = librosa.filters.mel(sr=8000, n_fft=256, n_mels=8, fmin=100.0)
    first = np.array((ctypes.c_short * 8).in_dll(library, "tiny_ear_band_first"))
    count = np.array((ctypes.c_short * 8).in_dll(library, "tiny_ear_band_count"))
    weights = np.split(floats(library, "tiny_ear_band_weights", count.sum()), np.cumsum(count)[:-1])
    for band in range(8):
        row = np.zeros(129)
        row[first[band] : first[band] + count[band]] = weights[band]
        np.testing.assert_allclose(row, mel[band], atol=1e-7)


def test_features_are_those_of_librosa(ear, tmp_path):
    library = ctypes.CDLL(str(gcc(ear[1], tmp_path / "ear.so", "-shared", "-fPIC")))
    x = np.random.default_rng(0).normal(scale=0.2, size=256).astype(np.float32)
    features = (ctypes.c_float * 8)()
    library.tiny_ear_features(x.ctypes.data_as(ctypes.c_void_p), features)
    mel = librosa.feature.melspectrogram(
        y=x, sr=8000, n_fft=256, hop_length=128, center=False, n_mels=8, fmin=100.0
    )
    expected = librosa.power_to_db(mel[:, 0], amin=1e-10, top_db=None)
    np.testing.assert_allclose(features, expected, atol=1e-3)


def test_the_reference_is_what_the_model_answers(ear, tmp_path):
    library = ctypes.CDLL(str(gcc(ear[1], tmp_path / "ear.so", "-shared", "-fPIC")))
    hops = floats(library, "tiny_ear_reference_input", 5 * edge_models.HOP)
    outputs = floats(library, "tiny_ear_reference_probabilities", 15).reshape(5, 3)
    expected = edge_models.expected(hops.reshape(5, edge_models.HOP))
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)
    assert floats(library, "tiny_ear_reference_hidden_first", 1) == 0
    assert floats(library, "tiny_ear_reference_hidden_last", 1) > 0


def test_the_array_of_a_sound_model_begins_behind_the_front_end(streaming, tmp_path):
    firmware.write(streaming, tmp_path, steps=4)
    code, lines = checked(tmp_path)
    assert code == 0
    assert {line.split()[1] for line in lines if line.startswith("input")} == {"features", "hidden"}
    header = (tmp_path / "streaming_ear.h").read_text()
    assert "the network behind streaming_ear_features" in header and "no kernel" not in header
    # One count, that of the whole step; N log2 N of the Fourier transform, then three outputs of 8
    # bands each. Only the front end's filter bank depends on how it is grouped.
    step = graph.read((streaming / "step.tflite").read_bytes(), "step.tflite")
    whole = counting.multiply_accumulates(step)
    assert f"#define STREAMING_EAR_MACS_PER_STEP {whole}u" in header
    assert "#define STREAMING_EAR_ARRAY_MACS_PER_STEP 24u" in header
    assert whole > 256 * 8 + 24

    # C's features into the array's network: the outputs of the whole model.
    library = ctypes.CDLL(str(gcc(tmp_path, tmp_path / "ear.so", "-shared", "-fPIC")))
    size = int(lines[0].split()[1])
    array = bytes((ctypes.c_ubyte * size).in_dll(library, "streaming_ear_model"))
    run = Interpreter(model_content=array).get_signature_runner("step")
    shape = run.get_input_details()["features"]["shape"]
    x = np.concatenate([np.zeros(128), floats(library, "streaming_ear_reference_input", 4 * 128)])
    hidden, features = np.zeros((1, 3), np.float32), (ctypes.c_float * 8)()
    whole = zoo.edge.open(streaming)
    for t in range(4):
        window = x[128 * t : 128 * t + 256].astype(np.float32)
        library.streaming_ear_features(window.ctypes.data_as(ctypes.c_void_p), features)
        outputs = run(features=np.float32(features).reshape(shape), hidden=hidden)
        hidden = outputs["hidden_next"]
        expected = whole.step(window[128:])["probabilities"]
        np.testing.assert_allclose(outputs["probabilities"][0], expected, atol=1e-5)


def test_stress_in_8_bits_has_golden_inputs_and_its_scales(tmp_path):
    firmware.write(STRESS, tmp_path, weights="int8", steps=6)
    code, lines = checked(tmp_path)
    assert code == 0 and not any(line.startswith("features") for line in lines)
    library = ctypes.CDLL(str(gcc(tmp_path, tmp_path / "stress.so", "-shared", "-fPIC")))
    with np.load(STRESS / "golden.npz") as golden:
        x, stress = golden["x"][0, :6], golden["prediction"][0, :6, 0]
    inputs = floats(library, "hysteresis_lstm_wide_reference_input", 18)
    np.testing.assert_array_equal(inputs.reshape(6, 3), x)
    outputs = floats(library, "hysteresis_lstm_wide_reference_prediction", 6)
    np.testing.assert_allclose(outputs, stress, atol=0.1)  # it is an 8-bit model
    header = (tmp_path / "hysteresis_lstm_wide.h").read_text()
    content = (STRESS / "step_int8.tflite").read_bytes()
    scales = [
        each["quantization"][0]
        for each in Interpreter(model_content=content).get_tensor_details()
        if each["dtype"] in (np.int8, np.int16) and each["quantization"][0] > 0
    ]
    header_scales = [
        float(line.split("scale ")[1].split(",")[0])
        for line in header.splitlines()
        if "QUANTIZE" in line and "scale" in line
    ]
    assert len(header_scales) > 3
    for scale in header_scales:
        assert np.isclose(scale, scales, rtol=1e-6).any()


def test_numbers_and_names_are_read_back():
    values = np.random.default_rng(0).normal(size=200).astype(np.float32) * np.float32(1e-3)
    for value in (*values, np.float32(1.0), np.float32(3e8), np.float32(-2.0)):
        assert np.float32(float_literal(value).removesuffix("f")) == value
    assert float_literal(1e-45) == "0.0f"
    assert identifier("hearing-aid") == "hearing_aid"
    with pytest.raises(ValueError, match="letters, digits"):
        identifier("8 bit")


@pytest.mark.parametrize("change", [{"padding": "centred"}, {"level": "pcen"}, {"mood": 1}])
def test_a_front_end_that_does_not_fit_is_one_line(tmp_path, capsys, change):
    folder = edge_models.write_folder(tmp_path / "m", front_end={**edge_models.FRONT_END, **change})
    assert main([str(folder), "--out", str(tmp_path / "c")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "c").exists()


def test_the_command_says_what_it_wrote(ear, tmp_path, capsys):
    assert main([str(ear[0]), "--out", str(tmp_path / "c"), "--steps", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6 and lines[0].split()[0].endswith("tiny_ear.h")
    manifest = json.loads((ear[0] / "manifest.json").read_text())
    manifest["files"]["step.tflite"]["sha256"] = "0" * 64
    changed = shutil.copytree(ear[0], tmp_path / "changed")
    edge_models.write_manifest(changed, manifest)
    assert main([str(changed), "--out", str(tmp_path / "none")]) == 2
    assert "SHA-256 differs" in capsys.readouterr().err and not (tmp_path / "none").exists()


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_a_classifier_of_clips_is_cut_behind_its_front_end(tmp_path, weights):
    folder = STRESS.parent / "wheeze-tiny"
    firmware.write(folder, tmp_path, weights=weights)
    code, lines = checked(tmp_path)
    assert code == 0 and lines[-1] == "right"
    text = (tmp_path / "wheeze_tiny.h").read_text()
    assert "no kernel" not in text and "the network behind wheeze_tiny_features" in text
    library = ctypes.CDLL(str(gcc(tmp_path, tmp_path / "model.so", "-shared", "-fPIC")))
    size = int(re.search(r"_MODEL_BYTES (\d+)u", text)[1])
    content = bytes((ctypes.c_ubyte * size).in_dll(library, "wheeze_tiny_model"))
    interpreter = Interpreter(model_content=content)
    run = interpreter.get_signature_runner("serving_default")
    shape = run.get_input_details()["features"]["shape"]
    features = floats(library, "wheeze_tiny_reference_features", int(np.prod(shape)))
    probabilities = run(features=features.reshape(shape))["probabilities"][0]
    with np.load(folder / "golden.npz") as golden:  # from Keras
        tolerance = 1e-4 if weights == "float32" else 0.05
        np.testing.assert_allclose(probabilities, golden["probabilities"][0], atol=tolerance)


def test_a_gain_in_c_is_that_of_the_layer(tmp_path):
    import keras

    from zoo.firmware.gain import Gain, header, source
    from zoo.spectrogram import ReferenceLevel

    gain = Gain(frame=160, rank=5, reference=0.1, highest=1000.0)
    (tmp_path / "x.c").write_text(f"{header('x', gain, 1.0)}{source('x', gain)}")
    library = ctypes.CDLL(str(gcc(tmp_path, tmp_path / "x.so", "-shared", "-fPIC")))
    library.x_gain.restype = ctypes.c_float
    rng = np.random.default_rng(0)
    clips = [
        rng.normal(size=8000) * np.linspace(0, 0.3, 8000),
        rng.normal(size=500),  # fewer frames than the rank
        np.zeros(8000),
        1e-6 * rng.normal(size=8000),
    ]
    for clip in clips:
        x = clip.astype(np.float32)
        layer = ReferenceLevel(8000, reference_db=-20, max_gain_db=60)
        expected = float(keras.ops.convert_to_numpy(layer.gain(x[None]))[0, 0])
        in_c = library.x_gain(
            x.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), ctypes.c_long(len(x))
        )
        assert in_c == pytest.approx(expected, rel=1e-5)
        assert gain.compute(x) == pytest.approx(expected, rel=1e-5)


def test_features_in_integers_are_of_a_fast_transform_and_of_a_floor_that_16_bits_hold():
    from zoo.firmware import fixed_point, front_end
    from zoo.spectrogram import PRESETS

    settings = PRESETS["hearing_aid"]
    lowest, below = 10 ** (-(2**15) / 2560), 1e-13  # 1/256 dB, of powers
    assert fixed_point.is_possible(replace(settings, floor=lowest))
    assert not fixed_point.is_possible(replace(settings, floor=below)), "it became +126 dB"
    inputs = np.zeros((1, 1, settings.window), np.float32)
    slow = replace(settings, n_fft=600)
    assert not fixed_point.is_possible(slow)
    assert "It is slow" in front_end.header(slow, "ear", inputs)
    assert "It is slow" not in front_end.header(settings, "ear", inputs)


@pytest.fixture(scope="module")
def integer_features(tmp_path_factory):
    """Function from samples (512,) int16 to features (bands,) [dB], compiled from the C source."""
    from zoo.firmware import fixed_point
    from zoo.spectrogram import PRESETS

    settings = PRESETS["hearing_aid"]
    work = tmp_path_factory.mktemp("integers")
    (work / "ear.h").write_text(fixed_point.header(settings, "ear"))
    (work / "ear.c").write_text(fixed_point.source(settings, "ear"))
    command = ["gcc", *STRICT, "-shared", "-fPIC", "ear.c", "-o", "ear.so"]
    subprocess.run(command, cwd=work, check=True)
    function = ctypes.CDLL(str(work / "ear.so")).ear_features_q15

    def compute(samples):
        features = np.zeros(settings.bands, np.int16)
        function(*(each.ctypes.data_as(ctypes.c_void_p) for each in (samples, features)))
        return features / 256

    return compute


@pytest.mark.parametrize("peak", [3, 300, 32767])
@pytest.mark.parametrize("kind", ["noise", "tones", "steps"])
def test_features_in_integers_are_those_of_float64(integer_features, peak, kind):
    rng, t = np.random.default_rng(peak), np.arange(512) / 16_000
    frames = {
        "noise": rng.uniform(-1, 1, (20, 512)),
        # the last one stands between the bands
        "tones": [np.sin(2 * np.pi * hz * t + 1) for hz in [*np.geomspace(60, 7900, 20), 7999]],
        "steps": [np.ones(512), -np.ones(512), t > 0.01, np.eye(1, 512, 100)[0], 0 * t],
    }[kind]
    bank = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=40, fmin=50, fmax=8000)
    window = scipy.signal.get_window("hann", 512)
    for frame in frames:
        samples = np.rint(peak * np.asarray(frame)).astype(np.int16)
        powers = bank @ np.abs(np.fft.rfft(window * samples / 32768)) ** 2
        expected = 10 * np.log10(np.maximum(powers, 1e-10))
        audible = expected > expected.max() - 110
        np.testing.assert_allclose(integer_features(samples)[audible], expected[audible], atol=0.1)


@pytest.mark.parametrize(("first", "last"), [(0, 11), (3, 8), (5, 5), (0, 4)])
def test_silence_is_trimmed_in_c_as_by_the_layer(tmp_path, first, last):
    import keras

    from zoo.firmware.trim import compute, header, source
    from zoo.spectrogram import Trim

    rng = np.random.default_rng(first)
    x = rng.uniform(-90, -80, (12, 4)).astype("f4")
    x[first : last + 1] = rng.uniform(-30, 0, (last - first + 1, 4))
    expected = keras.ops.convert_to_numpy(Trim(40.0)(x[None, :, :, None]))[0, :, :, 0]
    np.testing.assert_array_equal(compute(x, 40.0), expected)
    (tmp_path / "x.c").write_text(f"{header('x')}{source('x', 40.0, 4)}")
    library = ctypes.CDLL(str(gcc(tmp_path, tmp_path / "x.so", "-shared", "-fPIC")))
    library.x_trim(x.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), ctypes.c_long(12))
    np.testing.assert_array_equal(x, expected)
