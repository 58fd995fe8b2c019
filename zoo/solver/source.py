"""A program as one file of C or of Fortran."""

import re
import textwrap

from zoo.solver.languages import C, Fortran
from zoo.solver.trace import CONSTANT, DT, OLD, RATE, STRAIN, Program
from zoo.solver.umat import ARGUMENTS, DECLARATIONS, refusal
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


# Words of C, Fortran and JavaScript that a column of a table may be called by.
RESERVED = {
    *("auto", "break", "case", "char", "class", "const", "continue", "data", "default"),
    *("delete", "do", "double", "else", "end", "enum", "export", "extern", "float", "for"),
    *("function", "if", "implicit", "in", "int", "interface", "let", "long", "new", "none"),
    *("out", "real", "register", "result", "return", "short", "signed", "sizeof", "static"),
    *("step", "struct", "super", "switch", "this", "typedef", "union", "unsigned", "use", "var"),
    *("void", "volatile", "while", "with", "yield"),
}

# Abaqus' interface for user materials, with one stress: truss elements, and codes that follow it.
UMAT = """

! Abaqus' interface for user materials. It serves elements with one stress component: trusses, and
! beams without shear. With NLGEOM Abaqus' strains are logarithmic and its stress is Cauchy's; the
! model has the strain and stress of its training.
! STATEV: {size} or more (*DEPVAR), zero at first. An increment of no time and no strain leaves
! STRESS and STATEV.
! {energies}
! PNEWDT: {cut};
! 0.25 where there are no numbers, and then STRESS and STATEV stay.
!
! PROPS   {props}
subroutine {name}_umat({arguments})
{declarations}
  real(8) :: state({size}), now, tangent, energy, lost, given({given})
{half}
  if (ndi /= 1 .or. nshr /= 0 .or. ntens /= 1) then
    call {name}_refuse("{name}: one stress component is needed (a truss), NTENS = 1", &
      stress, ddsdde, ntens)
    return
  end if
  if (nstatv < {size}) then
    call {name}_refuse("{name}: {size} state variables are needed, *DEPVAR {size}", &
      stress, ddsdde, ntens)
    return
  end if
  call {name}_constants(given)
{read}
  call {name}_core(given, stran(1), stran(1) + dstran(1), dtime, statev(1:{size}), state, now, &
    tangent, energy, lost)
  if (.not. (abs(now) <= huge(now) .and. abs(tangent) <= huge(now))) then
    pnewdt = min(pnewdt, 0.25d0)
    return
  end if
{check}
  ddsdde(1, 1) = tangent
  if (dtime > 0.0d0 .or. abs(dstran(1)) > 0.0d0) stress(1) = now
{fill}  statev(1:{size}) = state
end subroutine {name}_umat

"""
_HALVES = """  if (dtime > 0.0d0) then  ! the step in two
    call {name}_core(given, stran(1), stran(1) + dstran(1) / 2, dtime / 2, statev(1:{size}), &
      middle, twice, slope, more, less)
    call {name}_core(given, stran(1) + dstran(1) / 2, stran(1) + dstran(1), dtime / 2, middle, &
      finer, twice, slope, more, less)
    if (abs(now - twice) > 0.02d0 * max(abs(now), abs(twice), abs(stress(1)))) &
      pnewdt = min(pnewdt, 0.5d0)
  end if"""
_CONSTANTS = """  if (nprops == {given}) then
    given = props(1:{given})
  else if (nprops /= 0) then
    call {name}_refuse("{name}: PROPS must be {given} constants, or none", stress, ddsdde, ntens)
    return
  end if"""


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
    text = file_header(program, "//") + "#include <math.h>\n\n" + "\n".join(lines)
    return name_arguments(program, text)


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
    body = "\n".join(_fortran_body(program, writer))
    lines += textwrap.indent(body, "  ").split("\n")
    lines += [*_fortran_functions(writer), f"end subroutine {name}_core"]
    if program.loading[0] != "strain":
        note = f"! No UMAT: {program.loading[0]} is the loading, not strain."
        text = file_header(program, "!") + "\n".join(lines) + _constants(program) + note + "\n"
        return name_arguments(program, text)
    umat = _constants(program) + lifted if lifted else _umat(program, errors)
    return file_header(program, "!") + "\n".join(lines) + umat


def _umat(program: Program, errors: str) -> str:
    """The UMAT for trusses."""
    name, size = program.name, len(program.next_states)
    given = sum(map(len, program.constants.values()))
    places = {"name": name, "size": size, "given": given}
    has_energy = program.energy is not None
    longest = program.longest_step_s
    if program.is_law:
        cut = "0.5 where two half steps give a stress that is more than 2 % off"
        half = f"  real(8) :: middle({size}), finer({size}), twice, slope, more, less"
        check = _HALVES.format(**places)
    elif longest:
        cut = f"what brings the increment to {longest:g} s, the longest step of the training"
        half, check = (
            "",
            f"  if (dtime > {longest:.9g}d0) pnewdt = min(pnewdt, {longest:.9g}d0 / dtime)",
        )
    else:
        cut, half, check = "as it was", "", ""
    names = [
        f"{each}_{k}" if len(values) > 1 else each
        for each, values in program.constants.items()
        for k in range(1, len(values) + 1)
    ]
    props = f"none, or {given}: {', '.join(names)}" if given else "none, they are built in"
    if any(each.startswith("raw_") for each in names):
        props += ". raw_NAME: as the cell stores it, before its softplus"
    return (
        "\n"
        + _constants(program)
        + UMAT.format(
            **{**places, "given": max(given, 1)},
            arguments=ARGUMENTS,
            declarations=DECLARATIONS,
            energies="SSE: energy stored. SPD: dissipated; per volume."
            if has_energy
            else "SSE, SPD and SCD stay: the model does not know which part of the work it stores.",
            cut=cut,
            half=half,
            check=check,
            props="\n! ".join(textwrap.wrap(props, 88)),
            read=_CONSTANTS.format(**places) if given else "",
            fill="  sse = energy\n  if (dtime > 0d0) spd = spd + lost\n" if has_energy else "",
        )
        + refusal(name, errors)
    )


def _constants(program: Program) -> str:
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


def _wrapped(texts: list[str]) -> list[str]:
    return textwrap.wrap(", ".join(texts), 92, initial_indent="    ", subsequent_indent="    ")
