"""A program as one file of C."""

import textwrap

from zoo.solver.header import file_header, name_arguments, state_places, uses_function
from zoo.solver.languages import C
from zoo.solver.program import DT, OLD, RATE, STRAIN, Program
from zoo.solver.writer import Writer

FUNCTIONS = {
    "sigmoid": "static double sigmoid(double a) { return 1.0 / (1.0 + exp(-a)); }",
    "softplus": "static double softplus(double a) {\n"
    "  return (a > 0.0 ? a : 0.0) + log1p(exp(-fabs(a)));\n}",
}


def c_source(program: Program) -> str:
    """C99: `void NAME_step(strain_old, strain, duration, state_old, state, &stress, &tangent)`.

    Where the loading is another quantity than strain, the arguments have the names of loading and
    response, such as `displacement_old`, `displacement` and `force`.

    Args:
        program: from `zoo.solver.trace`.

    Returns:
        Text of the file.
    """
    language = C()
    writer = Writer(program, language)
    name, size = program.name, len(program.next_states)
    lines = [f"#define {name.upper()}_STATES {size}", ""]
    lines += [
        line for values, table in writer.tables.items() for line in language.table(table, values)
    ]
    lines += ["", *(FUNCTIONS[each] for each in FUNCTIONS if uses_function(writer, each)), ""]
    lines += [
        f"void {name}_step(double strain_old, double strain, double duration,",
        f"    const double state_old[{size}], double state[{size}],",
        "    double *stress, double *tangent) {",
        "  const int at_rest = duration <= 0.0 && strain == strain_old;",
        f"  const double {DT} = duration <= 0.0 ? {language.number(program.instant_s)} : duration;",
        f"  const double {RATE} = (strain - strain_old) / {DT};",
        f"  (void){RATE}; (void){STRAIN};",
    ]
    lines += [
        f"  const double *{OLD}{state} = state_old + {at};" for state, at in state_places(program)
    ]
    lines += [f"  {line}" for line in (*writer.buffers, *writer.lines)]
    lines += [f"  *stress = {writer.value(program.stress)};"]
    lines += [f"  *tangent = {writer.slope(program.stress) or language.zero};"]
    # Last, so that `state` may be the same array as `state_old`.
    kept = [f"{writer.value(scalar)}" for scalar in program.next_states]
    lines += [f"  double next[{size}] = {{", *_wrapped(kept), "  };"]
    lines += [f"  for (int i = 0; i < {size}; i++) state[i] = at_rest ? state_old[i] : next[i];"]
    lines += ["}", ""]
    text = file_header(program, "//") + "#include <math.h>\n\n" + "\n".join(lines)
    return name_arguments(program, text)


def _wrapped(texts: list[str]) -> list[str]:
    return textwrap.wrap(", ".join(texts), 92, initial_indent="    ", subsequent_indent="    ")
