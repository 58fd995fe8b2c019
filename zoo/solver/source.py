"""A program as one file of C or of Fortran."""

import textwrap

from zoo.solver.languages import C, Fortran
from zoo.solver.trace import OLD, RATE, STRETCH, Program
from zoo.solver.writer import Writer

C_FUNCTIONS = {
    "sigmoid": "static double sigmoid(double a) { return 1.0 / (1.0 + exp(-a)); }",
    "softplus": "static double softplus(double a) {\n"
    "  return (a > 0.0 ? a : 0.0) + log1p(exp(-fabs(a)));\n}",
}
# log1p and expm1 after Kahan: the rounding of 1 + a, or of exp(a), is divided out again.
FORTRAN_FUNCTIONS = {
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


# Abaqus' interface for user materials, with one stress: truss elements, and codes that follow it.
UMAT = """

subroutine {name}_umat(stress, statev, ddsdde, sse, spd, scd, rpl, ddsddt, drplde, drpldt, &
    stran, dstran, time, dtime, temp, dtemp, predef, dpred, cmname, ndi, nshr, ntens, nstatv, &
    props, nprops, coords, drot, pnewdt, celent, dfgrd0, dfgrd1, noel, npt, layer, kspt, kstep, &
    kinc)
  implicit none
  character(len=80) :: cmname
  integer :: ndi, nshr, ntens, nstatv, nprops, noel, npt, layer, kspt, kstep(4), kinc
  real(8) :: stress(ntens), statev(nstatv), ddsdde(ntens, ntens), sse, spd, scd, rpl
  real(8) :: ddsddt(ntens), drplde(ntens), drpldt, stran(ntens), dstran(ntens), time(2), dtime
  real(8) :: temp, dtemp, predef(*), dpred(*), props(*), coords(3), drot(3, 3), pnewdt, celent
  real(8) :: dfgrd0(3, 3), dfgrd1(3, 3)
  real(8) :: state({size})
  if (ntens /= 1 .or. nstatv < {size}) then
    stop "{name}_umat: one stress component and {size} state variables are needed"
  end if
  call {name}_step(stran(1), stran(1) + dstran(1), dtime, statev(1:{size}), state, &
    stress(1), ddsdde(1, 1))
  statev(1:{size}) = state
end subroutine {name}_umat
"""


def c_source(program: Program) -> str:
    """C99: `void NAME_step(stretch_old, stretch_new, dt, state_old, state, &stress, &tangent)`.

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
    lines += ["", *(C_FUNCTIONS[each] for each in C_FUNCTIONS if _uses(writer, each)), ""]
    lines += [
        f"void {name}_step(double stretch_old, double stretch, double dt,",
        f"    const double state_old[{size}], double state[{size}],",
        "    double *stress, double *tangent) {",
        f"  const double {RATE} = (stretch - stretch_old) / dt;",
        f"  (void){RATE}; (void){STRETCH};",
    ]
    lines += [f"  const double *{OLD}{state} = state_old + {at};" for state, at in _places(program)]
    lines += [f"  {line}" for line in (*writer.buffers, *writer.lines)]
    lines += [f"  *stress = {writer.value(program.stress)};"]
    lines += [f"  *tangent = {writer.slope(program.stress) or language.zero};"]
    # Last, so that `state` may be the same array as `state_old`.
    kept = [f"{writer.value(scalar)}" for scalar in program.next_states]
    lines += [f"  double next[{size}] = {{", *_wrapped(kept), "  };"]
    lines += [f"  for (int i = 0; i < {size}; i++) state[i] = next[i];", "}", ""]
    return _header(program, "//") + "#include <math.h>\n\n" + "\n".join(lines)


def fortran_source(program: Program) -> str:
    """Fortran 2003: subroutines `NAME_step`, and `NAME_umat` with Abaqus' arguments, for trusses.

    Args:
        program: from `zoo.solver.trace`.

    Returns:
        Text of the file.
    """
    writer = Writer(program, Fortran())
    name, size = program.name, len(program.next_states)
    arguments = "(stretch_old, stretch, dt, state_old, state, stress, tangent)"
    lines = [
        f"subroutine {name}_step{arguments}",
        "  implicit none",
        "  real(8), intent(in) :: stretch_old, stretch, dt",
        f"  real(8), intent(in) :: state_old(0:{size - 1})",
        f"  real(8), intent(out) :: state(0:{size - 1}), stress, tangent",
        f"  real(8) :: {RATE}, next(0:{size - 1})",
        "  integer :: i, j",
    ]
    lines += [
        f"  real(8) :: {OLD}{state}(0:{width - 1})" for state, width in program.states.items()
    ]
    body = "\n".join(_fortran_body(program, writer))
    lines += textwrap.indent(body, "  ").split("\n")
    lines += [*_fortran_functions(writer), f"end subroutine {name}_step"]
    return _header(program, "!") + "\n".join(lines) + UMAT.format(name=name, size=size)


def _fortran_body(program: Program, writer: Writer) -> list[str]:
    """Declarations, tables and statements of the subroutine."""
    language = writer.spell
    body = list(writer.buffers)
    body += [
        line for values, table in writer.tables.items() for line in language.table(table, values)
    ]
    body += [f"{RATE} = (stretch - stretch_old) / dt", "i = 0; j = 0"]
    body += [
        f"{OLD}{state} = state_old({at}:{at + program.states[state] - 1})"
        for state, at in _places(program)
    ]
    body += writer.lines
    body += [
        language.assign(f"next({k})", writer.value(scalar))
        for k, scalar in enumerate(program.next_states)
    ]
    body += [f"stress = {writer.value(program.stress)}"]
    return [*body, f"tangent = {writer.slope(program.stress) or language.zero}", "state = next"]


def _fortran_functions(writer: Writer) -> list[str]:
    """Functions that Fortran lacks, as internal procedures, as far as they are used."""
    used = [each for each in FORTRAN_FUNCTIONS if _uses(writer, each)]
    lines = ["contains"] * bool(used)
    for each in used:
        lines += [
            f"  pure real(8) function {each}(a) result(value)",
            "    real(8), intent(in) :: a",
            *["    real(8) :: u"] * (each in ("log1p", "expm1")),
            textwrap.indent(FORTRAN_FUNCTIONS[each], "    "),
            f"  end function {each}",
        ]
    return lines


def _header(program: Program, mark: str) -> str:
    """Description of the file and its arguments, as comments."""
    states = ", ".join(
        f"{state} {at} to {at + program.states[state] - 1}" for state, at in _places(program)
    )
    lines = [
        f"{program.name}: one time step of a stress model, and its consistent tangent.",
        "",
        "in   stretch_old, stretch  at the beginning and the end of the step [-], zero at rest",
        "     dt                    length of the step [s], above zero",
        f"     state_old             {len(program.next_states)} numbers, zero at first:",
        f"                           {states}, counted from 0",
        "out  state                 the same after the step; may be the array of state_old in C",
        "     stress                at the end of the step",
        "     tangent               d stress / d stretch at fixed state_old, stretch_old and dt",
        "",
        "Generated; double precision; depends on nothing but the language's own mathematics.",
    ]
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in lines) + "\n"


def _uses(writer: Writer, function: str) -> bool:
    return any(f"{function}(" in line for line in writer.lines)


def _places(program: Program) -> list[tuple[str, int]]:
    """Where each state begins in the state vector."""
    places, at = [], 0
    for state, width in program.states.items():
        places.append((state, at))
        at += width
    return places


def _wrapped(texts: list[str]) -> list[str]:
    return textwrap.wrap(", ".join(texts), 92, initial_indent="    ", subsequent_indent="    ")
