"""YAMNet as a Keras model, from the weights in its TFLite file.

The file holds most weights in 8 bits, and LiteRT rounds what flows through them to 8 bits as well;
this model computes in float32 with the weights of the file, so both differ by that rounding.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from zoo.teachers.runtime import PATCH, PATCH_HOP, SAMPLE_RATE_HZ, read_file

EMBEDDING, SCORES = 1024, 521
WINDOW, HOP, FFT, MELS = 400, 160, 512, 64
PATCH_FRAMES, PATCH_STEP = 96, PATCH_HOP // 160
LOG_FLOOR = 1e-3
# Stride of the depthwise convolution of blocks 2 to 14 (MobileNet v1, Howard et al. 2017).
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def weights_of(file: Path) -> dict[str, np.ndarray]:
    """Weights in the TFLite file, in float32 and in Keras' order of axes.

    Returns:
        `real`, `imaginary` (fft, bins), `window` (400,), `mel` (bins, mels); `conv1/kernel`,
        `conv1/bias`; for k = 2 to 14 `depthwise{k}/...` and `pointwise{k}/...`; `scores/...`.

    Raises:
        OSError: no such file.
        ValueError: not a file of this network.
    """
    # Imported by name: LiteRT lists a file's operations through this method only.
    interpreter = read_file(file)
    interpreter.allocate_tensors()
    details = {each["index"]: each for each in interpreter.get_tensor_details()}
    plain = [op for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]
    produced = {int(op["outputs"][0]): op for op in plain}

    def tensor(index: int) -> np.ndarray:
        op = produced.get(index)
        if op is not None and op["op_name"] == "DEQUANTIZE":
            index = int(op["inputs"][0])
        return _dequantize(interpreter.get_tensor(index), details[index])

    convolutions = [op for op in plain if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    dense = [op for op in plain if op["op_name"] == "FULLY_CONNECTED"]
    if len(convolutions) != 1 + 2 * len(STRIDES) or len(dense) != 4:
        raise ValueError(
            f"{file}: expected YAMNet with {1 + 2 * len(STRIDES)} convolutions and 4 dense layers, "
            f"got {len(convolutions)} and {len(dense)}."
        )
    names = ["conv1"] + [
        f"{kind}{k}" for k in range(2, 2 + len(STRIDES)) for kind in ("depthwise", "pointwise")
    ]
    weights = {}
    for name, op in zip(names, convolutions, strict=True):
        kernel, bias = tensor(int(op["inputs"][1])), tensor(int(op["inputs"][2]))
        # (out, rows, columns, in) or (1, rows, columns, channels) -> Keras' (rows, columns, ...)
        order = (1, 2, 3, 0)
        weights[f"{name}/kernel"] = np.ascontiguousarray(kernel.transpose(order))
        weights[f"{name}/bias"] = bias
    for name, op in zip(("real", "imaginary", "mel", "scores/kernel"), dense, strict=True):
        weights[name] = np.ascontiguousarray(tensor(int(op["inputs"][1])).T)
    weights["scores/bias"] = tensor(int(dense[3]["inputs"][2]))
    window = next(op for op in plain if op["op_name"] == "MUL")
    constant = next(int(k) for k in window["inputs"] if int(k) not in produced)
    weights["window"] = tensor(constant).reshape(-1)
    return weights


def _dequantize(values: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Real numbers of a weight in 8 bits, (values - zero point) scale; others as they are."""
    scales = detail["quantization_parameters"]["scales"]
    if not len(scales) or values.dtype == np.float32:
        return np.asarray(values, np.float32)
    points = detail["quantization_parameters"]["zero_points"]
    shape = [1] * values.ndim
    if len(scales) > 1:
        shape[detail["quantization_parameters"]["quantized_dimension"]] = len(scales)
    points = np.broadcast_to(points, scales.shape)  # one for all channels, or one each
    centred = values.astype(np.float32) - points.reshape(shape)
    return (centred * scales.reshape(shape)).astype(np.float32)


@keras.saving.register_keras_serializable("zoo")
class TeacherFrontEnd(keras.layers.Layer):
    """Log-mel patches of the teacher, by the transforms of its own file.

    (batch, samples) -> (batch, patches, 96, 64, 1), a patch every 0.48 s.

    Args:
        weights: of `weights_of`.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(self, weights: dict[str, np.ndarray], **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        window = weights["window"][:, None]
        self.real = ops.convert_to_tensor(window * weights["real"][:WINDOW])
        self.imaginary = ops.convert_to_tensor(window * weights["imaginary"][:WINDOW])
        self.mel = ops.convert_to_tensor(weights["mel"])
        self.built = True

    def call(self, waveform: KerasTensor) -> KerasTensor:
        """Patches of a waveform of at least 15,600 samples."""
        frames = ops.extract_sequences(waveform, WINDOW, HOP)  # (batch, time, 400)
        power = ops.square(ops.matmul(frames, self.real))
        power = power + ops.square(ops.matmul(frames, self.imaginary))
        mel = ops.log(ops.matmul(ops.sqrt(power + 1e-20), self.mel) + LOG_FLOOR)
        count = 1 + (waveform.shape[1] - PATCH) // PATCH_HOP
        patches = [mel[:, PATCH_STEP * k : PATCH_STEP * k + PATCH_FRAMES] for k in range(count)]
        return ops.stack(patches, axis=1)[..., None]

    def compute_output_shape(self, shape: tuple) -> tuple:
        """(batch, patches, 96, 64, 1)."""
        return (shape[0], 1 + (shape[1] - PATCH) // PATCH_HOP, PATCH_FRAMES, MELS, 1)


def build_yamnet(weights: dict[str, np.ndarray], samples: int = PATCH) -> keras.Model:
    """The teacher over a waveform at 16 kHz, its patches averaged.

    Args:
        weights: of `weights_of`.
        samples: of the waveform, at least 15,600.

    Returns:
        Model of `waveform` (batch, samples) with outputs `embedding` (batch, 1024) and `scores`
        (batch, 521), means over patches; nothing of it is trainable.

    Raises:
        ValueError: a waveform shorter than a patch.
    """
    if samples < PATCH:
        raise ValueError(f"A patch takes {PATCH} samples. Received: samples={samples}.")
    waveform = keras.Input((samples,), name="waveform")
    patches = TeacherFrontEnd(weights, name="patches")(waveform)
    count = patches.shape[1]
    x = ops.reshape(patches, (-1, PATCH_FRAMES, MELS, 1))
    x = layers.Conv2D(32, 3, 2, "same", activation="relu", name="conv1")(x)
    for k, stride in enumerate(STRIDES, 2):
        x = layers.DepthwiseConv2D(3, stride, "same", activation="relu", name=f"depthwise{k}")(x)
        filters = weights[f"pointwise{k}/bias"].size
        x = layers.Conv2D(filters, 1, activation="relu", name=f"pointwise{k}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    scores = layers.Dense(SCORES, activation="sigmoid", name="scores")(x)
    outputs = {
        "embedding": ops.mean(ops.reshape(x, (-1, count, EMBEDDING)), axis=1),
        "scores": ops.mean(ops.reshape(scores, (-1, count, SCORES)), axis=1),
    }
    model = keras.Model(waveform, outputs, name="yamnet")
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([weights[f"{layer.name}/kernel"], weights[f"{layer.name}/bias"]])
    model.trainable = False
    return model


def load_yamnet(file: Path, samples: int = PATCH) -> keras.Model:
    """`build_yamnet` with the weights of a TFLite file, or of an .npz file of them.

    Raises:
        OSError: no such file.
        ValueError: not a file of this network.
    """
    if Path(file).suffix == ".npz":
        with np.load(file) as stored:
            weights = {name: stored[name].astype(np.float32) for name in stored.files}
        return build_yamnet(weights, samples)
    return build_yamnet(weights_of(file), samples)


__all__ = ["EMBEDDING", "SAMPLE_RATE_HZ", "SCORES", "build_yamnet", "load_yamnet", "weights_of"]
