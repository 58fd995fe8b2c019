"""The model as a C array, and a header that says what goes in, what comes out, what it takes."""

import zlib
from collections import Counter

from zoo.edge.counting import arena_bytes, multiply_accumulates, state_bytes
from zoo.edge.graph import Graph
from zoo.edge.microcontroller import has_kernel
from zoo.firmware.spelling import number, octets, text

_RANK = 6  # of the table of tensors


def header(name: str, content: bytes, model: Graph) -> str:
    """Declarations of `source`, sizes, and the operations that a runtime must have."""
    upper = name.upper()
    operations = Counter(operator.name for operator in model.operators)
    lines = [
        f"   {kind:<28} {count:>3}{'' if has_kernel(kind) else '   no kernel in TFLite Micro'}"
        for kind, count in sorted(operations.items())
    ]
    return f"""
#if defined(__cplusplus) && __cplusplus >= 201103L
#define ZOO_ALIGNED alignas(16)
#else
#define ZOO_ALIGNED __attribute__((aligned(16)))
#endif

#ifndef ZOO_TENSOR
#define ZOO_TENSOR
/* value = scale * (integer - zero_point); scale 0: the tensor is not quantised. */
typedef struct {{
  const char *name;
  const char *type;
  int rank;
  int shape[{_RANK}];
  unsigned bytes;
  float scale;
  int zero_point;
}} zoo_tensor;
#endif

#define {upper}_MODEL_BYTES {len(content)}u
#define {upper}_MODEL_CRC32 0x{zlib.crc32(content):08x}u
#define {upper}_STATE_BYTES {state_bytes(model)}u
/* Tensors alone; the records and scratch memory of the runtime come on top. */
#define {upper}_ARENA_BYTES {arena_bytes(model)}u
#define {upper}_MACS_PER_STEP {multiply_accumulates(model)}u
#define {upper}_INPUTS {len(model.inputs)}
#define {upper}_OUTPUTS {len(model.outputs)}

extern const unsigned char {name}_model[{len(content)}];
/* In the order in which a runtime counts them. The output NAME_next is the state NAME of the next
   step; {name}_reference_NAME_first has what it is before the first. */
extern const zoo_tensor {name}_inputs[{upper}_INPUTS];
extern const zoo_tensor {name}_outputs[{upper}_OUTPUTS];

/* Operations, and how many of each:
{chr(10).join(lines)}
   Where integers begin and end:
{_seams(model)} */
"""


def source(name: str, content: bytes, model: Graph) -> str:
    """The array and the tables of its inputs and outputs."""
    return "\n".join(
        [
            f'#include "{name}.h"\n',
            octets(f"{name}_model", content),
            _tensors(f"{name}_inputs", f"{name.upper()}_INPUTS", model, model.inputs),
            _tensors(f"{name}_outputs", f"{name.upper()}_OUTPUTS", model, model.outputs),
        ]
    )


def _tensors(array: str, size: str, model: Graph, places: dict[str, int]) -> str:
    rows = []
    for name, place in places.items():
        tensor = model.tensors[place]
        shape = ", ".join(map(str, tensor.shape)) or "1"
        scale = "0.0f" if tensor.scale is None else number(tensor.scale)
        rows.append(
            f"  {{{text(name)}, {text(tensor.type.lower())}, {len(tensor.shape)}, {{{shape}}}, "
            f"{tensor.size}u, {scale}, {tensor.zero_point or 0}}},"
        )
    body = "\n".join(rows)
    return f"const zoo_tensor {array}[{size}] = {{\n{body}\n}};\n"


def _seams(model: Graph) -> str:
    """Scale and zero point of what is quantised from floats, and of what becomes floats again."""
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
    return "\n".join(lines) or "   nowhere, all are floats"
