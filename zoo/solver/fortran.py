"""A program as one file of Fortran."""

import textwrap

from zoo.solver.header import file_header, name_arguments, state_places, uses_function
from zoo.solver.languages import Fortran
from zoo.solver.program import CONSTANT, DT, OLD, RATE, Program
from zoo.solver.truss import truss_umat
from zoo.solver.writer import Writer

# log1p and expm1 after Kahan: the rounding of 1 + a, or of exp(a), is divided out again.
FUNCTIONS = {
    "sigmoid": "value = 1.0d0 / (1.0d0 + exp(-a))",
    "softplus": "value = max(a, 0.0d0) + log(1.0d0 + exp(-abs(a)))",
    "log1p": "u = 1.0d0 + a\n"
    "value = a\n"
    "if (abs(u - 1.0d0) > 0.0d0) value = log(u) * (a / (u - 1.0d0))",
    "expm1": "u = exp(a)\n"
    "value = u - 1.0d0\n"
    "if (abs(a) < 1.0d0) then\n"
    "  value = a\n"
    "  if (abs(u - 1.0d0) > 0.0d0) value = (u - 1.0d0) * (a / log(u))\n"
    "end if",
}


def fortran_source(program: Program, errors: str = "standard", lifted: str = "") -> str:
    """Fortran 2008: subroutines `NAME_step`, and `NAME_umat` with Abaqus' arguments.

    Args:
        program: from `zoo.solver.trace`.
        errors: how the UMAT refuses what it cannot do, see `zoo.solver.umat.refusal`.
        lifted: a UMAT in three dimensions, from `zoo.solver.solid.solid_umat`; without it, the
            UMAT is for trusses.

    Returns:
        Text of the file.

    Raises:
        ValueError: another way to refuse.
    """
    writer = Writer(program, Fortran())
    name, size = program.name, len(program.next_states)
    step = "(strain_old, strain, duration, state_old, state, stress, tangent"
    inputs = [
        "  implicit none",
        "  real(8), intent(in) :: strain_old, strain, duration",
        f"  real(8), intent(in) :: state_old(0:{size - 1})",
        f"  real(8), intent(out) :: state(0:{size - 1}), stress, tangent",
    ]
    given = max(sum(map(len, program.constants.values())), 1)
    lines = [
        f"subroutine {name}_step{step})",
        *inputs,
        f"  real(8) :: given({given}), energy, lost",
        f"  call {name}_constants(given)",
        f"  call {name}_core(given, {step[1:]}, energy, lost)",
        f"end subroutine {name}_step",
        "",
        "! The same for given constants, with the energy stored after the step and what the step",
        "! dissipates (0 where the model does not know them).",
        f"subroutine {name}_core(given, {step[1:]}, energy, lost)",
        *inputs,
        f"  real(8), intent(in) :: given({given})",
        "  real(8), intent(out) :: energy, lost",
        f"  real(8) :: {DT}, {RATE}, next(0:{size - 1})",
        "  integer :: i, j",
    ]
    widths = {OLD + each: width for each, width in program.states.items()}
    widths |= {CONSTANT + each: len(values) for each, values in program.constants.items()}
    lines += [f"  real(8) :: {each}(0:{width - 1})" for each, width in widths.items()]
    body = "\n".join(_body(program, writer))
    lines += textwrap.indent(body, "  ").split("\n")
    lines += [*_functions(writer), f"end subroutine {name}_core"]
    if program.loading[0] != "strain":
        note = f"! No UMAT: {program.loading[0]} is the loading, not strain.\n"
        text = file_header(program, "!") + "\n".join(lines) + _constants_subroutine(program) + note
        return name_arguments(program, text)
    umat = lifted or truss_umat(program, errors)
    constants = ("" if lifted else "\n") + _constants_subroutine(program)
    return file_header(program, "!") + "\n".join(lines) + constants + umat


def _constants_subroutine(program: Program) -> str:
    """The subroutine `NAME_constants`."""
    values = [value for numbers in program.constants.values() for value in numbers] or [0.0]
    spell = Fortran()
    rows = [f"  given({k}) = {spell.number(value)}" for k, value in enumerate(values, 1)]
    return f"""

! The constants that were fitted.
subroutine {program.name}_constants(given)
  implicit none
  real(8), intent(out) :: given({len(values)})
{chr(10).join(rows)}
end subroutine {program.name}_constants
"""


def _body(program: Program, writer: Writer) -> list[str]:
    """Declarations, tables and statements of the subroutine."""
    language = writer.spell
    body = list(writer.buffers)
    body += [
        line for values, table in writer.tables.items() for line in language.table(table, values)
    ]
    body += [
        f"{DT} = duration",
        f"if (duration <= 0.0d0) {DT} = {language.number(program.instant_s)}",
        f"{RATE} = (strain - strain_old) / {DT}",
        "i = 0; j = 0",
    ]
    body += [
        f"{OLD}{state} = state_old({at}:{at + program.states[state] - 1})"
        for state, at in state_places(program)
    ]
    at = 1
    for each, values in program.constants.items():
        body.append(f"{CONSTANT}{each} = given({at}:{at + len(values) - 1})")
        at += len(values)
    body += writer.lines
    body += [
        language.assign(f"next({k})", writer.value(scalar))
        for k, scalar in enumerate(program.next_states)
    ]
    body += [f"stress = {writer.value(program.stress)}"]
    for each, scalar in (("energy", program.energy), ("lost", program.dissipation)):
        value = language.zero if scalar is None else writer.value(scalar)
        body.append(f"{each} = {value}")
    return [
        *body,
        f"tangent = {writer.slope(program.stress) or language.zero}",
        "state = next",
        "if (duration <= 0.0d0 .and. .not. abs(strain - strain_old) > 0.0d0) state = state_old",
    ]


def _functions(writer: Writer) -> list[str]:
    """Functions that Fortran lacks, as internal procedures, as far as they are used."""
    used = [each for each in FUNCTIONS if uses_function(writer, each)]
    lines = ["contains"] * bool(used)
    for each in used:
        lines += [
            f"  pure real(8) function {each}(a) result(value)",
            "    real(8), intent(in) :: a",
            *["    real(8) :: u"] * (each in ("log1p", "expm1")),
            textwrap.indent(FUNCTIONS[each], "    "),
            f"  end function {each}",
        ]
    return lines
