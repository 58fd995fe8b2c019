"""A program as a JavaScript module."""

import json

from zoo.solver.header import file_header, name_arguments, state_places, uses_function
from zoo.solver.languages import JavaScript
from zoo.solver.program import DT, OLD, RATE, STRAIN, Program
from zoo.solver.writer import Writer

FUNCTIONS = {
    "sigmoid": "function sigmoid(a) {\n  return 1 / (1 + Math.exp(-a));\n}",
    "softplus": "function softplus(a) {\n"
    "  return (a > 0 ? a : 0) + Math.log1p(Math.exp(-Math.abs(a)));\n}",
    # Typed arrays have the byte order of the machine, which is little-endian wherever browsers are.
    "unpack": "function unpack(text) {\n"
    "  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));\n"
    "  return Float64Array.from(new Float32Array(bytes.buffer));\n}",
}


def javascript_source(program: Program) -> str:
    """ECMAScript module with `name`, `states`, `size` and one function, `step`.

    `step(strain_old, strain, duration, state_old, state)` fills `state`, which may be the array of
    `state_old`, and returns [stress, tangent]. `states` are [name, first place, width] in the state
    vector of `size` numbers. The module computes in arrays of its own, one call at a time.

    Args:
        program: from `zoo.solver.trace`, which takes only names that are identifiers.

    Returns:
        Text of the file.
    """
    language = JavaScript()
    writer = Writer(program, language)
    size, places = len(program.next_states), state_places(program)
    tables = [
        line for values, table in writer.tables.items() for line in language.table(table, values)
    ]
    used = [
        text
        for name, text in FUNCTIONS.items()
        if uses_function(writer, name) or any(f"{name}(" in line for line in tables)
    ]
    states = [[name, at, program.states[name]] for name, at in places]
    lines = [
        f"export const name = {json.dumps(program.name)};",
        f"export const size = {size};",
        f"export const states = {json.dumps(states)};",
        "",
        *used,
        "",
        *tables,
        *writer.buffers,
        *(language.buffer(f"{OLD}{name}", program.states[name]) for name, _ in places),
        "",
        *_step(program, writer),
    ]
    return name_arguments(program, file_header(program, "//") + "\n".join(lines) + "\n")


def _step(program: Program, writer: Writer) -> list[str]:
    """The function, statement by statement."""
    language, size = writer.spell, len(program.next_states)
    body = [
        f"const atRest = duration <= 0 && {STRAIN} === strain_old;",
        f"const {DT} = duration <= 0 ? {language.number(program.instant_s)} : duration;",
        f"const {RATE} = ({STRAIN} - strain_old) / {DT};",
    ]
    for name, at in state_places(program):
        copy = language.assign(f"{OLD}{name}[i]", f"state_old[{at} + i]")
        body += language.loop("i", program.states[name], [copy])
    body += writer.lines
    kept = [
        language.assign(f"state[{k}]", writer.value(scalar))
        for k, scalar in enumerate(program.next_states)
    ]
    body += [
        "if (atRest) {",
        *(f"  {line}" for line in language.loop("i", size, ["state[i] = state_old[i];"])),
        "} else {",
        *(f"  {line}" for line in kept),
        "}",
        f"return [{writer.value(program.stress)}, "
        f"{writer.slope(program.stress) or language.zero}];",
    ]
    head = f"export function step(strain_old, {STRAIN}, duration, state_old, state) {{"
    return [head, *(f"  {line}" for line in body), "}"]
