"""Abaqus' interface for user materials: arguments, declarations, and how an error ends."""

ARGUMENTS = """stress, statev, ddsdde, sse, spd, scd, rpl, ddsddt, drplde, drpldt, &
    stran, dstran, time, dtime, temp, dtemp, predef, dpred, cmname, ndi, nshr, ntens, nstatv, &
    props, nprops, coords, drot, pnewdt, celent, dfgrd0, dfgrd1, noel, npt, layer, kspt, kstep, &
    kinc"""
# All types are declared. ABA_PARAM.INC, which Abaqus' own examples include, declares them by their
# first letters instead: beside it, `implicit none` is an error.
DECLARATIONS = """  implicit none
  character(len=80) :: cmname
  integer :: ndi, nshr, ntens, nstatv, nprops, noel, npt, layer, kspt, kstep(4), kinc
  real(8) :: stress(ntens), statev(nstatv), ddsdde(ntens, ntens), sse, spd, scd, rpl
  real(8) :: ddsddt(ntens), drplde(ntens), drpldt, stran(ntens), dstran(ntens), time(2), dtime
  real(8) :: temp, dtemp, predef(*), dpred(*), props(*), coords(3), drot(3, 3), pnewdt, celent
  real(8) :: dfgrd0(3, 3), dfgrd1(3, 3)"""

# A program that calls a material is not to be ended by `stop`: Abaqus closes its files in XIT, and
# CalculiX in EXIT. Elsewhere stress and tangent become NaN, which no solver takes for a solution.
_END = {
    "standard": "  write (*, '(a)') text",
    "abaqus": """  integer :: intv(1)
  real(8) :: realv(1)
  character(len=8) :: charv(1)
  intv = 0; realv = 0d0; charv = " "
  call stdb_abqerr(-3, text, intv, realv, charv)
  call xit""",
    "calculix": """  write (*, '(a)') '*ERROR in umat: '//text
  call exit(201)""",
}
ERRORS = tuple(_END)
_REFUSAL = """\
! The name that Abaqus and CalculiX call. Where several such files are compiled together, keep
! one and let it choose by CMNAME.
subroutine umat({arguments})
{declarations}
  call {name}_umat({arguments})
end subroutine umat

! What cannot be computed: a message, and no numbers.
subroutine {name}_refuse(text, stress, ddsdde, ntens)
  use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan
  implicit none
  character(len=*), intent(in) :: text
  integer, intent(in) :: ntens
  real(8), intent(out) :: stress(ntens), ddsdde(ntens, ntens)
{end}
  stress = ieee_value(0d0, ieee_quiet_nan)
  ddsdde = stress(1)
end subroutine {name}_refuse
"""


def refusal(name: str, errors: str) -> str:
    """The subroutines `umat` and `NAME_refuse`.

    Args:
        name: of the program.
        errors: how an error ends: "standard" by NaN, "abaqus" by Abaqus' STDB_ABQERR and XIT,
            "calculix" by a message and EXIT.

    Raises:
        ValueError: another value of `errors`.
    """
    if errors not in _END:
        raise ValueError(f"`errors` must be one of {', '.join(ERRORS)}. Received: {errors!r}.")
    return _REFUSAL.format(
        name=name, end=_END[errors], arguments=ARGUMENTS, declarations=DECLARATIONS
    )
