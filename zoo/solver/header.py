"""What the files of all languages share: names of arguments, the description, places of states."""

import re

from zoo.solver.program import Program
from zoo.solver.writer import Writer

# Words of C, Fortran and JavaScript that a column of a table may be called by.
RESERVED = {
    *("auto", "break", "case", "char", "class", "const", "continue", "data", "default"),
    *("delete", "do", "double", "else", "end", "enum", "export", "extern", "float", "for"),
    *("function", "if", "implicit", "in", "int", "interface", "let", "long", "new", "none"),
    *("out", "real", "register", "result", "return", "short", "signed", "sizeof", "static"),
    *("step", "struct", "super", "switch", "this", "typedef", "union", "unsigned", "use", "var"),
    *("void", "volatile", "while", "with", "yield"),
}


def name_arguments(program: Program, text: str) -> str:
    """The text with the names of loading and response in place of `strain` and `stress`.

    A name that is taken, such as that of a function or of the model, gets `_value` after it.

    Args:
        program: of the text.
        text: source with the arguments `strain_old`, `strain` and `stress`.
    """
    if program.loading[0] in ("strain", "stretch"):
        return text
    code = "\n".join(line for line in text.split("\n") if not line.startswith(("//", "!")))
    taken = set(re.findall(r"\w+", code.lower())) | RESERVED
    names = {}
    for old, (quantity, _) in (("strain", program.loading), ("stress", program.response)):
        name = re.sub(r"\W+", "_", quantity, flags=re.ASCII).strip("_").lower()
        if not name[:1].isalpha():
            name = f"x_{name}" if old == "strain" else f"y_{name}"
        while taken & {name, f"{name}_old"}:
            name += "_value"
        taken |= {name, f"{name}_old"}
        names |= {old: name, f"{old}_old": f"{name}_old"}
    # Not in quotes or in the list of states, which have names of their own.
    word = re.compile(r'"[^"]*"|^.*, counted from 0$|\b(?:strain|stress)(?:_old)?\b', re.MULTILINE)
    return word.sub(lambda match: names.get(match.group(), match.group()), text)


def file_header(program: Program, mark: str) -> str:
    """Description of the file and its arguments, as comments."""
    states = ", ".join(
        f"{state} {at} to {at + program.states[state] - 1}" for state, at in state_places(program)
    )
    lines = [
        f"{program.name}: one time step of a {program.response[0]} model, and its consistent "
        "tangent.",
        "",
        *_loading_lines(program),
        "     duration            length of the step [s]. A step of none is computed in "
        f"{program.instant_s:g} s,",
        f"                         and leaves the state where the {program.loading[0]} stands "
        "still as well",
        f"     state_old           {len(program.next_states)} numbers, zero at rest:",
        f"                         {states}, counted from 0",
        "out  state               the same after the step; may be the array of state_old in C",
        *_response_lines(program),
        "",
        "Generated; double precision; depends on nothing but the language's own mathematics.",
    ]
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in lines) + "\n"


def _loading_lines(program: Program) -> list[str]:
    """What `strain_old` and `strain` hold."""
    name, unit = program.loading
    if name == "strain":
        return [
            "in   strain_old, strain  small strain at the beginning and the end of the step [-]: "
            "zero",
            "                         at rest, where all states are zero; of a stretch: "
            "stretch - 1",
        ]
    return [
        f"in   strain_old, strain  {name} at the beginning and the end of the step [{unit}]: zero",
        "                         at rest, where all states are zero",
    ]


def _response_lines(program: Program) -> list[str]:
    """What `stress` and `tangent` hold."""
    (loading, loading_unit), (response, unit) = program.loading, program.response
    if loading == "strain":
        return [
            "     stress              at the end of the step",
            "     tangent             d stress / d strain at fixed state_old, strain_old, duration",
        ]
    return [
        f"     stress              {response} at the end of the step [{unit}]",
        f"     tangent             d {response} / d {loading} [{unit}/({loading_unit})] at fixed",
        "                         state_old, strain_old, duration",
    ]


def uses_function(writer: Writer, function: str) -> bool:
    """Whether a statement calls a function."""
    return any(f"{function}(" in line for line in writer.lines)


def state_places(program: Program) -> list[tuple[str, int]]:
    """Where each state begins in the state vector."""
    places, at = [], 0
    for state, width in program.states.items():
        places.append((state, at))
        at += width
    return places
