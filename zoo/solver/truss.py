"""Abaqus' interface for user materials (UMAT), for trusses: one strain, one stress."""

import textwrap

from zoo.solver.program import Program
from zoo.solver.umat import ARGUMENTS, DECLARATIONS, refusal

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


def truss_umat(program: Program, errors: str) -> str:
    """Abaqus' interface for elements with one stress component.

    Args:
        program: whose subroutines `NAME_core` and `NAME_constants` it calls.
        errors: how it refuses what it cannot do, see `zoo.solver.umat.refusal`.

    Raises:
        ValueError: another way to refuse.
    """
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
    return UMAT.format(
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
    ) + refusal(name, errors)
