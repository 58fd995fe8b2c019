"""A TFLite file in which vectors of equal content stand once."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


class SharingBuilder(flatbuffers.Builder):
    """Builder of FlatBuffers that writes vectors of integers of equal content once.

    Tables refer to vectors by offset, so several may refer to one. Data of buffers, which are
    bytes, are aligned in their own way and are written as they are.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> Any:
        """Offset of the vector, of an earlier one of equal content if there is one."""
        if x.dtype not in (np.int32, np.int64):
            return super().CreateNumpyVector(x)
        key = (str(x.dtype), x.tobytes())
        if key not in self.written:
            self.written[key] = super().CreateNumpyVector(x)
        return self.written[key]


def share_vectors(content: bytes) -> bytes:
    """The file with equal vectors of integers stored once; nothing else changes.

    A convolution in 8 bits has a zero point for each output channel, in its weights and in its
    bias. All are zero, and take 16 bytes a channel: a tenth of a small network's file.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    builder = SharingBuilder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
