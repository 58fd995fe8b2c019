"""TFLite operations that have a kernel in TensorFlow Lite Micro.

From its public list of kernels, tensorflow/lite/micro/kernels/micro_ops.h, as of 2025. A kernel may
still lack a type or a shape: most have float32 and int8.
"""

from zoo.edge.graph import Graph

_PRODUCTS = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "BATCH_MATMUL")
KERNELS = frozenset(
    {
        *("ABS", "ADD", "ADD_N", "ARG_MAX", "ARG_MIN", "ASSIGN_VARIABLE", "AVERAGE_POOL_2D"),
        *("BATCH_MATMUL", "BATCH_TO_SPACE_ND", "BROADCAST_ARGS", "BROADCAST_TO", "CALL_ONCE"),
        *("CAST", "CEIL", "CONCATENATION", "CONV_2D", "COS", "CUMSUM", "DEPTH_TO_SPACE"),
        *("DEPTHWISE_CONV_2D", "DEQUANTIZE", "DIV", "DYNAMIC_UPDATE_SLICE", "ELU"),
        *("EMBEDDING_LOOKUP", "EQUAL", "EXP", "EXPAND_DIMS", "FILL", "FLOOR", "FLOOR_DIV"),
        *("FLOOR_MOD", "FULLY_CONNECTED", "GATHER", "GATHER_ND", "GREATER", "GREATER_EQUAL"),
        *("HARD_SWISH", "IF", "L2_NORMALIZATION", "L2_POOL_2D", "LEAKY_RELU", "LESS"),
        *("LESS_EQUAL", "LOG", "LOG_SOFTMAX", "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR"),
        *("LOGISTIC", "MAX_POOL_2D", "MAXIMUM", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG"),
        *("NOT_EQUAL", "PACK", "PAD", "PADV2", "PRELU", "QUANTIZE", "READ_VARIABLE"),
        *("REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RESHAPE"),
        *("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND", "RSQRT"),
        *("SELECT_V2", "SHAPE", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_BATCH_ND"),
        *("SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE"),
        *("SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "SVDF", "TANH", "TRANSPOSE"),
        *("TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNPACK", "VAR_HANDLE", "WHILE"),
        "ZEROS_LIKE",
    }
)


def obstacles(model: Graph) -> tuple[str, ...]:
    """Why TensorFlow Lite Micro does not run a graph; empty: it does.

    Each was tried with the package tflite-micro: operations without a kernel (SELECT, RFFT2D and
    its parts), products of float32 by int8 (files "dynamic"), DEQUANTIZE of float16, loops.
    """
    obstacles_found = [
        f"no kernel of {name}" for name in model.operator_names if not has_kernel(name)
    ]
    if {"WHILE", "IF", "CALL_ONCE"} & set(model.operator_names):
        obstacles_found.append("a loop or a branch")
    for operator in model.operators:
        types = [model.tensors[place].type for place in operator.inputs if place >= 0]
        if operator.name == "DEQUANTIZE" and types == ["FLOAT16"]:
            obstacles_found.append("weights of float16")
        if operator.name in _PRODUCTS and types[:2] == ["FLOAT32", "INT8"]:
            obstacles_found.append(f"{operator.name} of float32 by int8")
    return tuple(dict.fromkeys(obstacles_found))


def has_kernel(operation: str) -> bool:
    """Whether TensorFlow Lite Micro has a kernel of an operation, such as "CONV_2D"."""
    return operation in KERNELS
