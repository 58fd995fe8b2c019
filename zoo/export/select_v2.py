"""SELECT_V2 in place of SELECT in a TFLite file."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def use_select_v2(content: bytes) -> bytes:
    """The file with SELECT_V2 in place of SELECT, which TensorFlow Lite Micro has no kernel for.

    The two differ only where the condition has fewer axes than what it selects from; then the file
    stays as it is.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    old, new = schema.BuiltinOperator.SELECT, schema.BuiltinOperator.SELECT_V2
    places = {
        k
        for k, code in enumerate(model.operatorCodes)
        if max(code.builtinCode, code.deprecatedBuiltinCode) == old
    }
    if not places:
        return content
    selects = [
        (graph, operator)
        for graph in model.subgraphs
        for operator in graph.operators
        if operator.opcodeIndex in places
    ]
    for graph, operator in selects:
        shapes = {tuple(graph.tensors[int(place)].shape) for place in operator.inputs}
        if len(shapes) > 1:
            return content
    for k in places:
        code = model.operatorCodes[k]
        code.builtinCode, code.deprecatedBuiltinCode, code.version = new, new, 1
    for _, operator in selects:
        operator.builtinOptionsType = schema.BuiltinOptions.SelectV2Options
        operator.builtinOptions = schema.SelectV2OptionsT()
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
