r"""The three-dimensional law of a hyperelastic-viscous solid, as a UMAT.

The cell `zoo.cells.material.solid` measures the strain of a spring by g(λ), W = g²/2. Here the
measure becomes a symmetric tensor without trace, of the same size: with C̄ = C J^(−2/3),
J₁ = tr C̄ − 3 and J₂ = tr C̄⁻¹ − 3,

    G = φ D,    D = dev(a C̄ − b C̄⁻¹),    φ² = 2 W(J₁, J₂) / |D|²,    so that |G|²/2 = W

    |D|² = 2 (3a − 1) J₁ + 2 (3b − 1) J₂ + (2/3) (a² J₁² + a b J₁ J₂ + b² J₂²)

for a + b = 1 (tr C̄² = I₁² − 2 I₂ and Cayley and Hamilton's theorem). W begins with c₁ J₁ + c₂ J₂;
with a = (1 + c₁/(c₁ + c₂))/3 the linear parts of 2 W and (c₁ + c₂) |D|² are the same, so φ² is
c₁ + c₂ + O(J) and G is smooth at C̄ = I, where J₁ and J₂ vanish. Branch k splits G additively into
an elastic part H and a viscous one (Green and Naghdi 1965), in the undeformed frame:

    Ψ = W₀ + Σ |H_k|²/2 + (K/4) (J² − 1 − 2 log J)
    dH_k/dt = dG_k/dt − (H_k/τ_k) (|H_k|/h_r)^(m−1)
    S = 2 ∂W₀/∂C + Σ 2 H_k : ∂G_k/∂C + (K/2) (J² − 1) C⁻¹

Power of the stress less dΨ/dt is Σ |H|²/τ (|H|/h_r)^(m−1) ≥ 0. A sudden strain meets the springs'
whole energy; all is a function of C, hence objective and isotropic. The update of H is the cell's,
exact for a constant rate of G within the step where the viscosity is linear.

Uniaxial, volume kept: C̄ = diag(λ², 1/λ, 1/λ) gives D ∥ diag(1, −½, −½), one direction at all
times, so |G| = |g(λ)| and H = h diag(1, −½, −½) √(2/3) with the h of the cell; work along that
path gives σ₁₁ − σ₂₂ = λ P with the cell's P. In other states of stress the law is a choice: a test
in one direction does not determine it.

∂S/∂E is differentiated by hand along six directions and is symmetric but for a power law of more
than one substep. DDSDDE, with C = ∂S/∂E pushed forward by F (or U) and τ = J σ:

    Abaqus    (F F C Fᵀ Fᵀ + ½ (δ_ik τ_jl + δ_il τ_jk + δ_jk τ_il + δ_jl τ_ik)) / J
    CalculiX  U U C Uᵀ Uᵀ, not divided by J, since its `umat_abaqusnl.f` pulls DDSDDE back by U⁻¹ to
              ∂S/∂E; STRESS is Rᵀ σ R there, as its strains do not rotate either

the first of the Jaumann rate of Kirchhoff stress by J. The element's volume must be free to change
a little: K = 1000 times the initial shear modulus by default; with it the stress of a uniaxial test
is lower by 0.03 %.
"""

import textwrap
from importlib import resources
from typing import Any

import keras
import numpy as np

from zoo.cells.material.elastic import KNOTS, coefficient_names
from zoo.cells.material.solid import SolidCell
from zoo.recurrent.layers import VisibleRNN
from zoo.solver.languages import Fortran
from zoo.solver.umat import ARGUMENTS, DECLARATIONS, refusal

KINDS = {"neo-hooke": 1, "mooney-rivlin": 2, "yeoh": 3, "convex": 4}
BULK_RATIO = 1000.0  # K by the initial shear modulus
_FRAMES = {
    "abaqus": "STRESS is Cauchy's, DDSDDE that of the Jaumann rate of Kirchhoff stress by J.",
    "calculix": "CalculiX: the material's name must begin with ABAQUSNL, and *STEP have NLGEOM.",
}
_POLAR = """  ! R of F = R U by Newton's method for the polar decomposition; U = transpose(R) F
  map = dfgrd1
  do n = 1, 50
    old = map
    map = (old + transpose(inverted(old))) / 2
    if (sum((map - old)**2) < 1d-30) exit
  end do
  map = matmul(transpose(map), dfgrd1)"""
_INVERTED = """
  function inverted(f) result(inverse)
    real(8), intent(in) :: f(3, 3)
    real(8) :: inverse(3, 3)
    integer :: n, a, b
    do n = 1, 3
      a = mod(n, 3) + 1
      b = mod(n + 1, 3) + 1
      inverse(:, n) = [f(2, a) * f(3, b) - f(3, a) * f(2, b), &
        f(3, a) * f(1, b) - f(1, a) * f(3, b), f(1, a) * f(2, b) - f(2, a) * f(1, b)]
    end do
    inverse = transpose(inverse) / dot_product(f(:, 1), inverse(:, 1))
  end function
"""
_JAUMANN = """    value = value + (unit(i, k) * sigma(j, l) + unit(i, l) * sigma(j, k) &
      + unit(j, k) * sigma(i, l) + unit(j, l) * sigma(i, k)) / 2"""


def solid_cell(model: keras.Model) -> SolidCell | None:
    """The cell of a model of one hyperelastic-viscous solid; None for any other model.

    Args:
        model: from `zoo.recurrent.recurrent_model`.
    """
    layers = [layer for layer in model.layers if layer.weights]
    if len(layers) != 1 or not isinstance(layers[0], VisibleRNN):
        return None
    cell = layers[0].cell
    # The very class: a law that extends it, such as Mullins', has another stress.
    return cell if type(cell) is SolidCell and cell.energy in KINDS else None


def solid_constants(cell: SolidCell, bulk_ratio: float = BULK_RATIO) -> dict[str, float]:
    """PROPS of the UMAT by name: K, coefficients of every spring, relaxation times, exponent.

    Args:
        cell: with weights.
        bulk_ratio: K by the initial shear modulus 2 Σ (c1 + c2).

    Raises:
        ValueError: an energy that is not a function of invariants.
    """
    if cell.energy not in KINDS:
        raise ValueError(
            f"Expected an energy of invariants, one of {', '.join(KINDS)}. "
            f"Received: {cell.energy!r}, which has the uniaxial form only."
        )
    logs = {k: np.asarray(keras.ops.convert_to_numpy(w), float) for k, w in _logs(cell).items()}
    shear = 2.0 * sum(np.exp(logs[name]).sum() for name in _linear(cell))
    constants = {"bulk": bulk_ratio * float(shear)}
    for part in range(cell.branches + cell.equilibrium):
        number = part + (0 if cell.equilibrium else 1)
        for name in coefficient_names(cell.energy):
            constants[f"{name}_{number}"] = float(np.exp(logs[name][part]))
    for k, value in enumerate(np.exp(logs["time"]), 1):
        constants[f"time_{k}"] = float(value)
    if cell.viscosity == "power":
        constants["exponent"] = 1.0 + float(np.logaddexp(0.0, logs["power"]))
    return constants


def _logs(cell: SolidCell) -> dict[str, Any]:
    weights: dict[str, Any] = {**cell.log_coefficients, "time": cell.log_relaxation}
    return {**weights, "power": cell.raw_power} if cell.viscosity == "power" else weights


def _linear(cell: SolidCell) -> list[str]:
    """Coefficients that the shear modulus at rest depends on."""
    names = ("c1", "c2") if cell.energy in ("mooney-rivlin", "convex") else ("c1",)
    return [name for name in names if name in cell.log_coefficients]


def solid_umat(cell: SolidCell, name: str, errors: str = "standard") -> str:
    """UMAT of a solid in three dimensions, with its uniaxial form for trusses.

    Args:
        cell: with weights and an energy of invariants.
        name: of the subroutines: `NAME_umat`, `NAME_solid`, `NAME_fitted`, and `umat`.
        errors: for whom: "standard" and "abaqus" have Abaqus' frame and tangent and differ in how
            they refuse what they cannot do; "calculix" has CalculiX' own.

    Returns:
        Free-form Fortran 2008.

    Raises:
        ValueError: an energy without invariants, or another value of `errors`.
    """
    constants = solid_constants(cell)
    spell = Fortran()
    calculix = errors == "calculix"
    count = cell.branches
    entries = {
        "NAME": name,
        "KIND": KINDS[cell.energy],
        "COEFFICIENTS": len(coefficient_names(cell.energy)),
        "BRANCHES": count,
        "EQUILIBRIUM": int(cell.equilibrium),
        "SUBSTEPS": cell.substeps,
        "POWER": ".true." if cell.viscosity == "power" else ".false.",
        "SCALE": spell.number(float(np.sqrt(cell.modulus / (count + cell.equilibrium)))),
        "KNOTS": f"[{', '.join(map(spell.number, KNOTS))}]",
        "STATES3": 6 + 6 * count,
        "PROPS": len(constants),
        "FRAME": _FRAMES["calculix" if calculix else "abaqus"],
        "LIST": _deck(constants, 6 + 6 * count, calculix),
        "ARGUMENTS": ARGUMENTS,
        "DECLARATIONS": DECLARATIONS,
        "MAP": _POLAR if calculix else "  map = dfgrd1",
        "PER_VOLUME": "" if calculix else " / det",
        "JAUMANN_NOTE": "" if calculix else ", of the Jaumann rate",
        "JAUMANN": "" if calculix else _JAUMANN,
        "FITTED": "\n".join(
            f"  p({k}) = {spell.number(value)}  ! {each}"
            for k, (each, value) in enumerate(constants.items(), 1)
        ),
        "END": refusal(name, errors),
    }
    text = resources.files("zoo.solver").joinpath("solid.f90").read_text(encoding="utf-8")
    if calculix:
        text = text.replace("end subroutine @NAME@_umat", f"{_INVERTED}end subroutine @NAME@_umat")
    for key, value in entries.items():
        text = text.replace(f"@{key}@", str(value))
    return text


def _deck(constants: dict[str, float], states: int, calculix: bool) -> str:
    """Lines of an input deck as comments: eight constants a line, as Abaqus and CalculiX read."""
    prefix = "ABAQUSNL_" if calculix else ""
    rows = [
        f"*MATERIAL, NAME={prefix}SOLID",
        f"*USER MATERIAL, CONSTANTS={len(constants)}",
    ]
    numbers = [f"{value:.9g}" for value in constants.values()]
    rows += [", ".join(numbers[k : k + 8]) for k in range(0, len(numbers), 8)]
    rows += ["*DEPVAR", str(states)]
    named = textwrap.wrap(f"names: {', '.join(constants)}", 92)
    return "\n".join(f"!   {row}" for row in [*named, *rows])
