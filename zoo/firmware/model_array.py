"""Model as a C array, and a header with its inputs, outputs, memory and operations."""

import zlib
from collections import Counter

from zoo.edge.counting import COUNTED, arena_bytes, multiply_accumulates, state_bytes
from zoo.edge.graph import Graph
from zoo.edge.micro import arena_of
from zoo.edge.microcontroller import has_kernel, obstacles
from zoo.firmware.c_syntax import byte_array, comment_text, float_literal, string_literal

# A tensor in the tables has up to 6 dimensions.
_TYPES = """#if defined(__cplusplus) && __cplusplus >= 201103L
#define ZOO_ALIGNED alignas(16)
#else
#define ZOO_ALIGNED __attribute__((aligned(16)))
#endif

#ifndef ZOO_TENSOR
#define ZOO_TENSOR
/* value = scale * (integer - zero_point); scale 0: the tensor is not quantized. */
typedef struct {
  const char *name;
  const char *type;
  int rank;
  int shape[6];
  unsigned bytes;
  float scale;
  int zero_point;
} zoo_tensor;
#endif"""


def header(name: str, content: bytes, model: Graph, whole: Graph) -> str:
    """C declarations of what `source` defines, sizes, and the operations that a runtime needs.

    Args:
        name: of the model, a C identifier.
        content: bytes of the TFLite file.
        model: its graph.
        whole: graph of the step file, which `model` may be the part behind the front end of.
    """
    upper = name.upper()
    counts = Counter(operator.name for operator in model.operators)
    lines = [
        f"   {comment_text(kind):<28} {count:>3}"
        f"{'' if has_kernel(kind) else '   no kernel in TFLite Micro'}"
        for kind, count in sorted(counts.items())
    ]
    return f"""
{_TYPES}

#define {upper}_MODEL_BYTES {len(content)}u
#define {upper}_MODEL_CRC32 0x{zlib.crc32(content):08x}u
#define {upper}_STATE_BYTES {state_bytes(model)}u
/* Tensors only; the records and scratch memory of the runtime come on top. */
#define {upper}_ARENA_BYTES {arena_bytes(model)}u
/* TensorFlow Lite Micro {_micro(content, name, model)}. */
/* Multiply-accumulates: {COUNTED}. The second is of the array alone. */
#define {upper}_MACS_PER_STEP {multiply_accumulates(whole)}u
#define {upper}_ARRAY_MACS_PER_STEP {multiply_accumulates(model)}u
#define {upper}_INPUTS {len(model.inputs)}
#define {upper}_OUTPUTS {len(model.outputs)}

extern const unsigned char {name}_model[{len(content)}];
/* In the order of their indices in a runtime. The output NAME_next is the state NAME of the next
   step; {name}_reference_NAME_first holds its value before the first step. */
extern const zoo_tensor {name}_inputs[{upper}_INPUTS];
extern const zoo_tensor {name}_outputs[{upper}_OUTPUTS];

/* Operations, and how many of each:
{chr(10).join(lines)}
   Where values are quantized and dequantized:
{_quantization(model)} */
"""


def source(name: str, content: bytes, model: Graph) -> str:
    """C source: the array, and tables of its inputs and outputs.

    Args:
        name: of the model, a C identifier.
        content: bytes of the TFLite file.
        model: its graph.
    """
    return "\n".join(
        [
            f'#include "{name}.h"\n',
            byte_array(f"{name}_model", content),
            _tensor_table(f"{name}_inputs", f"{name.upper()}_INPUTS", model, model.inputs),
            _tensor_table(f"{name}_outputs", f"{name.upper()}_OUTPUTS", model, model.outputs),
        ]
    )


def _micro(content: bytes, name: str, model: Graph) -> str:
    """Whether TensorFlow Lite Micro runs the array."""
    reasons = obstacles(model)
    if reasons:
        return f"does not run it: {comment_text(', '.join(reasons))}"
    arena = arena_of(content, name)
    return "has kernels of it" if arena is None else f"took {arena} bytes of 64-bit memory for it"


def _tensor_table(array: str, size: str, model: Graph, places: dict[str, int]) -> str:
    rows = []
    for name, place in places.items():
        tensor = model.tensors[place]
        shape = ", ".join(map(str, tensor.shape)) or "1"
        scale = "0.0f" if tensor.scale is None else float_literal(tensor.scale)
        zero_point = tensor.zero_point or 0
        rows.append(
            f"  {{{string_literal(name)}, {string_literal(tensor.type.lower())}, "
            f"{len(tensor.shape)}, {{{shape}}}, {tensor.size}u, {scale}, {zero_point}}},"
        )
    body = "\n".join(rows)
    return f"const zoo_tensor {array}[{size}] = {{\n{body}\n}};\n"


def _quantization(model: Graph) -> str:
    """Scale and zero point at every QUANTIZE and DEQUANTIZE operation."""
    lines = []
    for operator in model.operators:
        if operator.name in ("QUANTIZE", "DEQUANTIZE"):
            place = (operator.outputs if operator.name == "QUANTIZE" else operator.inputs)[0]
            tensor = model.tensors[place]
            if tensor.scale is not None and tensor.data is None:
                shape = "x".join(map(str, tensor.shape))
                lines.append(
                    f"   {operator.name:<10} {shape:<12} {tensor.type.lower()}, scale "
                    f"{tensor.scale:.9g}, zero point {tensor.zero_point}"
                )
    return "\n".join(lines) or "   nowhere, all values are floats"
