"""The cause of an error of Keras or TensorFlow in one line.

Both put it behind a heading: Keras behind "Exception encountered when calling X.call()." or at the
end of a chain of configurations, TensorFlow behind "Graph execution error:" and a stack of files.
"""

import re

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_NODE = re.compile(r"\{\{function_node [^}]*\}\}\s*|\s*\[Op:[^\]]*\](\s*name:)?\s*")
_CALL = re.compile(r"Exception encountered when calling (?P<where>\S+?)\.?\s*\n")
_DESERIALIZED = "Exception encountered: "
# What stands around a cause: files of a stack, nodes of a graph, arguments, configurations.
_NOISE = (
    *("[[", "File ", "Detected at", "Stack trace", "Arguments received", "•", "config={"),
    *("in user code", "Graph execution error", "Original stack trace", "Traceback", "~~~", "^^^"),
)


def cause_of(error: BaseException) -> str:
    """What went wrong, in one line without a full stop at its end.

    Args:
        error: of any kind; the first line of what it says, unless Keras or TensorFlow said it.
    """
    text = _STYLE.sub("", str(error)).strip()
    if not text:
        return type(error).__name__
    if _DESERIALIZED in text:
        text = text.rpartition(_DESERIALIZED)[2]
    calls = list(_CALL.finditer(text))
    where = f"{calls[-1]['where']}: " if calls else ""  # the innermost layer is the last
    if calls:
        text = text[calls[-1].end() :]
    lines = [_NODE.sub(" ", line).strip() for line in text.splitlines()]
    is_graph = "Graph execution error" in text
    messages = [line for line in lines if line and not line.startswith(_NOISE)]
    if is_graph:
        messages = messages[-1:]  # behind the stack
    return f"{where}{(messages or lines)[0].rstrip('.')}"
