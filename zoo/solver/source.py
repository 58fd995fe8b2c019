"""A program as one file of C or of Fortran."""

import textwrap

from zoo.solver.languages import C, Fortran
from zoo.solver.trace import DT, OLD, RATE, STRAIN, Program
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


ARGUMENTS = """stress, statev, ddsdde, sse, spd, scd, rpl, ddsddt, drplde, drpldt, &
    stran, dstran, time, dtime, temp, dtemp, predef, dpred, cmname, ndi, nshr, ntens, nstatv, &
    props, nprops, coords, drot, pnewdt, celent, dfgrd0, dfgrd1, noel, npt, layer, kspt, kstep, &
    kinc"""
DECLARATIONS = """  implicit none
  character(len=80) :: cmname
  integer :: ndi, nshr, ntens, nstatv, nprops, noel, npt, layer, kspt, kstep(4), kinc
  real(8) :: stress(ntens), statev(nstatv), ddsdde(ntens, ntens), sse, spd, scd, rpl
  real(8) :: ddsddt(ntens), drplde(ntens), drpldt, stran(ntens), dstran(ntens), time(2), dtime
  real(8) :: temp, dtemp, predef(*), dpred(*), props(*), coords(3), drot(3, 3), pnewdt, celent
  real(8) :: dfgrd0(3, 3), dfgrd1(3, 3)"""
# Abaqus' interface for user materials, with one stress: truss elements, and codes that follow it.
UMAT = """

! Abaqus' interface for user materials. It serves elements with one stress component (trusses, and
! beams without shear): with any other number it ends the analysis with an error. With NLGEOM
! Abaqus' strains are logarithmic; the model was trained on the strain that its manifest states.
! STATEV: {size} or more (*DEPVAR), zero at first. PROPS: none, the constants are built in.
! SSE, SPD and SCD are left as they are: a network does not know which part of the work it stores.
! They are for output only. An increment of no time and no strain leaves STRESS and STATEV.
subroutine {name}_umat({arguments})
{declarations}
  real(8) :: state({size}), now
  if (ndi /= 1 .or. nshr /= 0 .or. ntens /= 1) then
    call {name}_refuse("{name}: one stress component is needed (a truss), NTENS = 1")
  end if
  if (nstatv < {size}) then
    call {name}_refuse("{name}: {size} state variables are needed, *DEPVAR {size}")
  end if
  call {name}_step(stran(1), stran(1) + dstran(1), dtime, statev(1:{size}), state, now, &
    ddsdde(1, 1))
  if (dtime > 0.0d0 .or. abs(dstran(1)) > 0.0d0) stress(1) = now
  statev(1:{size}) = state
end subroutine {name}_umat

! The name that Abaqus calls. Where several such files are compiled together, keep one and let it
! choose by CMNAME.
subroutine umat({arguments})
{declarations}
  call {name}_umat({arguments})
end subroutine umat

! Ends the analysis with an error, never with exit code 0.
subroutine {name}_refuse(text)
  implicit none
  character(len=*), intent(in) :: text
{refuse}
end subroutine {name}_refuse
"""
# Abaqus closes its files in XIT; it is not to be ended by STOP. Elsewhere there is no XIT.
REFUSE = {
    "standard": """  write (*, '(a)') text
  error stop 1""",
    "abaqus": """  integer :: intv(1)
  real(8) :: realv(1)
  character(len=8) :: charv(1)
  intv = 0; realv = 0.0d0; charv = " "
  call stdb_abqerr(-3, text, intv, realv, charv)
  call xit""",
}


def c_source(program: Program) -> str:
    """C99: `void NAME_step(strain_old, strain, duration, state_old, state, &stress, &tangent)`.

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
    lines += ["", *(C_FUNCTIONS[each] for each in C_FUNCTIONS if uses_function(writer, each)), ""]
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
    return file_header(program, "//") + "#include <math.h>\n\n" + "\n".join(lines)


def fortran_source(program: Program, errors: str = "standard") -> str:
    """Fortran 2008: subroutines `NAME_step`, and `NAME_umat` with Abaqus' arguments, for trusses.

    Args:
        program: from `zoo.solver.trace`.
        errors: how the UMAT refuses what it cannot do: "standard" by `error stop 1`, "abaqus" by
            Abaqus' STDB_ABQERR and XIT.

    Returns:
        Text of the file.

    Raises:
        ValueError: another way to refuse.
    """
    if errors not in REFUSE:
        raise ValueError(f"`errors` must be one of {', '.join(REFUSE)}. Received: {errors!r}.")
    writer = Writer(program, Fortran())
    name, size = program.name, len(program.next_states)
    arguments = "(strain_old, strain, duration, state_old, state, stress, tangent)"
    lines = [
        f"subroutine {name}_step{arguments}",
        "  implicit none",
        "  real(8), intent(in) :: strain_old, strain, duration",
        f"  real(8), intent(in) :: state_old(0:{size - 1})",
        f"  real(8), intent(out) :: state(0:{size - 1}), stress, tangent",
        f"  real(8) :: {DT}, {RATE}, next(0:{size - 1})",
        "  integer :: i, j",
    ]
    lines += [
        f"  real(8) :: {OLD}{state}(0:{width - 1})" for state, width in program.states.items()
    ]
    body = "\n".join(_fortran_body(program, writer))
    lines += textwrap.indent(body, "  ").split("\n")
    lines += [*_fortran_functions(writer), f"end subroutine {name}_step"]
    if program.loading[0] != "strain":
        lines.append(f"! No UMAT: {program.loading[0]} is the loading, not strain.")
        return file_header(program, "!") + "\n".join(lines) + "\n"
    umat = UMAT.format(
        name=name,
        size=size,
        arguments=ARGUMENTS,
        declarations=DECLARATIONS,
        refuse=REFUSE[errors],
    )
    return file_header(program, "!") + "\n".join(lines) + umat


def _fortran_body(program: Program, writer: Writer) -> list[str]:
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
    body += writer.lines
    body += [
        language.assign(f"next({k})", writer.value(scalar))
        for k, scalar in enumerate(program.next_states)
    ]
    body += [f"stress = {writer.value(program.stress)}"]
    return [
        *body,
        f"tangent = {writer.slope(program.stress) or language.zero}",
        "state = next",
        "if (duration <= 0.0d0 .and. .not. abs(strain - strain_old) > 0.0d0) state = state_old",
    ]


def _fortran_functions(writer: Writer) -> list[str]:
    """Functions that Fortran lacks, as internal procedures, as far as they are used."""
    used = [each for each in FORTRAN_FUNCTIONS if uses_function(writer, each)]
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


def _wrapped(texts: list[str]) -> list[str]:
    return textwrap.wrap(", ".join(texts), 92, initial_indent="    ", subsequent_indent="    ")
