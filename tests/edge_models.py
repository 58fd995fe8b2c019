"""A sound model small enough for a closed form, written without TensorFlow: what edge tests run.

energy = mean(waveform²), hidden' = hidden + (energy - hidden) / 2,
probabilities = softmax(SLOPE hidden' + OFFSET): silence is quiet, full scale is music.
"""

import hashlib
import json
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

RATE_HZ, HOP = 8000, 128
CLASSES = ("quiet", "speech", "music")
SLOPE = np.array([[-80.0], [0.0], [80.0]], np.float32)
OFFSET = np.array([4.0, 0.0, -4.0], np.float32)
FRONT_END = {
    "sample_rate_hz": RATE_HZ,
    "window_s": 0.032,
    "hop_s": HOP / RATE_HZ,
    "n_fft": 256,
    "padding": "causal",
    "power": 2,
    "scale": "slaney",
    "mels": 8,
    "fmin_hz": 100.0,
    "fmax_hz": None,
    "norm": "slaney",
    "triangles": "hertz",
    "level": "decibel",
    "floor": 1e-10,
}
OP = schema.BuiltinOperator


def expected(hops: np.ndarray) -> np.ndarray:
    """Probabilities (hops, classes) of hops (hops, HOP), in float64."""
    hidden, results = 0.0, []
    for energy in np.mean(np.square(hops, dtype=np.float64), axis=1):
        hidden += 0.5 * (energy - hidden)
        logits = SLOPE[:, 0] * hidden + OFFSET
        results.append(np.exp(logits) / np.exp(logits).sum())
    return np.array(results)


class Graph:
    """A TFLite model in the making."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes, self.model.subgraphs = [], [schema.SubGraphT()]
        self.graph = self.model.subgraphs[0]
        self.graph.tensors, self.graph.operators = [], []

    def tensor(self, name, shape, constant=None):
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name.encode(), list(shape)
        tensor.type, tensor.buffer = schema.TensorType.FLOAT32, 0
        if constant is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.float32(constant).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def add(self, op, inputs, shape, name="t", options=None):
        code = schema.OperatorCodeT()
        code.builtinCode, code.version = op, 1
        code.deprecatedBuiltinCode = min(op, 127)  # what its one byte holds
        self.model.operatorCodes.append(code)
        operator, out = schema.OperatorT(), self.tensor(name, shape)
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), [out]
        if options is not None:
            operator.builtinOptions = options
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self.graph.operators.append(operator)
        return out

    def finish(self, inputs: dict, outputs: dict, signature="step") -> bytes:
        self.graph.inputs, self.graph.outputs = list(inputs.values()), list(outputs.values())
        definition = schema.SignatureDefT()
        definition.signatureKey, definition.subgraphIndex = signature.encode(), 0
        definition.inputs, definition.outputs = _map(inputs), _map(outputs)
        self.model.signatureDefs = [definition]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _map(names: dict) -> list:
    entries = []
    for name, index in names.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), index
        entries.append(entry)
    return entries


def sound_model(*, regression: bool = False) -> bytes:
    """The model of this file's head, as TFLite; or its logits as `prediction`."""
    g = Graph()
    waveform, hidden = g.tensor("waveform", (1, HOP)), g.tensor("hidden", (1, 1))
    square = g.add(OP.MUL, (waveform, waveform), (1, HOP), options=schema.MulOptionsT())
    mean = g.tensor("mean", (1, HOP), np.full((1, HOP), 1 / HOP))
    full = schema.FullyConnectedOptionsT
    energy = g.add(OP.FULLY_CONNECTED, (square, mean, -1), (1, 1), options=full())
    change = g.add(OP.SUB, (energy, hidden), (1, 1), options=schema.SubOptionsT())
    half = g.tensor("half", (1, 1), [[0.5]])
    part = g.add(OP.MUL, (change, half), (1, 1), options=schema.MulOptionsT())
    after = g.add(OP.ADD, (hidden, part), (1, 1), options=schema.AddOptionsT())
    slope, offset = g.tensor("slope", (3, 1), SLOPE), g.tensor("offset", (3,), OFFSET)
    logits = g.add(OP.FULLY_CONNECTED, (after, slope, offset), (1, 3), options=full())
    if regression:
        return g.finish(
            {"waveform": waveform, "hidden": hidden}, {"prediction": logits, "hidden_next": after}
        )
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    probabilities = g.add(OP.SOFTMAX, (logits,), (1, 3), options=softmax)
    return g.finish(
        {"waveform": waveform, "hidden": hidden},
        {"probabilities": probabilities, "hidden_next": after},
    )


def write_folder(folder: Path, content: bytes | None = None, **changes) -> Path:
    """A model folder with this file's model, or another one; `changes` go into the manifest."""
    content = sound_model() if content is None else content
    folder.mkdir(parents=True)
    (folder / "step.tflite").write_bytes(content)
    tensor = {"dtype": "float32", "unit": "-", "meaning": "of a test"}
    manifest = {
        "format": 2,
        "name": "tiny-ear",
        "signatures": {
            "step": {
                "inputs": {
                    "waveform": {"shape": [None, HOP], **tensor},
                    "hidden": {"shape": [None, 1], **tensor},
                },
                "outputs": {
                    "probabilities": {"shape": [None, 3], **tensor},
                    "hidden_next": {"shape": [None, 1], **tensor},
                },
            }
        },
        "formats": {
            "step.tflite": {"file": "step.tflite", "endpoint": "step", "weights": "float32"}
        },
        "classes": list(CLASSES),
        "front_end": FRONT_END,
        "decision": {"time_constant_s": 0.1, "dwell_s": 0.2},
        "files": {
            "step.tflite": {
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            }
        },
    }
    write_manifest(folder, {**manifest, **changes})
    return folder


def write_manifest(folder: Path, manifest: dict) -> None:
    """Write a manifest with its seal."""
    zeros = "0" * 64
    text = json.dumps({**manifest, "seal": zeros})
    seal = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(text.removesuffix(zeros + '"}') + seal + '"}')
