"""A TFLite file as a teacher: waveform of any rate to embeddings and scores, by LiteRT."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soxr

SAMPLE_RATE_HZ = 16_000
PATCH = 15_600  # samples, 0.975 s
PATCH_HOP = 7_680  # samples, half of the 0.96 s that a patch is made of
EMBEDDING_TENSOR = "global_average_pooling2d/Mean"


class TeacherOutput(NamedTuple):
    """What a teacher says of a sound, patch by patch.

    Attributes:
        embeddings: (patches, 1024) float32.
        scores: (patches, 521) float32 in 0 to 1.
    """

    embeddings: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Teacher:
    """YAMNet (Plakal and Ellis 2019) in a TFLite file of one patch.

    Attributes:
        interpreter: of the file.
        input_index: tensor of the waveform.
        embedding_index: tensor of the embedding.
        scores_index: tensor of the scores.
    """

    interpreter: Any
    input_index: int
    embedding_index: int
    scores_index: int

    def __call__(self, waveform: np.ndarray, rate_hz: float) -> TeacherOutput:
        """Embeddings and scores of every patch of a waveform.

        Args:
            waveform: (samples,) in [-1, 1].
            rate_hz: of the waveform; it is resampled to 16 kHz.
        """
        x = np.asarray(waveform, np.float32)
        if rate_hz != SAMPLE_RATE_HZ:
            x = soxr.resample(x, rate_hz, SAMPLE_RATE_HZ)
        x = np.pad(x, (0, max(0, PATCH - len(x))))
        embeddings, scores = [], []
        for start in range(0, len(x) - PATCH + 1, PATCH_HOP):
            patch = x[start : start + PATCH][None].astype(np.float32)
            self.interpreter.set_tensor(self.input_index, patch)
            self.interpreter.invoke()
            embeddings.append(self.interpreter.get_tensor(self.embedding_index).reshape(-1))
            scores.append(self.interpreter.get_tensor(self.scores_index).reshape(-1))
        return TeacherOutput(np.array(embeddings), np.array(scores))


def open_teacher(file: Path) -> Teacher:
    """Open a teacher.

    Args:
        file: TFLite file of YAMNet, one patch in, scores out, its embedding inside.

    Raises:
        OSError: no such file.
        ValueError: not a file of this network.
    """
    interpreter = read_file(file)
    interpreter.allocate_tensors()
    names = {tensor["name"]: tensor["index"] for tensor in interpreter.get_tensor_details()}
    embedding = [index for name, index in names.items() if name.endswith(EMBEDDING_TENSOR)]
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    size = int(np.prod(inputs[0]["shape"]))
    if len(embedding) != 1 or size != PATCH:
        raise ValueError(
            f"{file}: expected YAMNet with {PATCH} samples in and a tensor *{EMBEDDING_TENSOR}, "
            f"got {size} samples in and {len(embedding)} such tensors. Give the TFLite file of it."
        )
    return Teacher(interpreter, inputs[0]["index"], embedding[0], outputs[0]["index"])


def read_file(file: Path) -> Any:
    """LiteRT interpreter of a file that keeps all tensors.

    Raises:
        OSError: no such file.
        ValueError: no TFLite file.
    """
    # Here, so that a teacher's weights in an .npz file open where LiteRT is not installed.
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    content = Path(file).read_bytes()
    return Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        # a delegate keeps its inner tensors to itself
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
