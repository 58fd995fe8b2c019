"""Elastic energies of uniaxial loading, with smooth strain measures.

An energy is W(λ) = (λ − 1)² w(λ) with w > 0, so that neither its stress nor its strain measure
g = (λ − 1) √(2w), for which W = g²/2, divides by λ − 1.
"""

from collections.abc import Mapping
from typing import NamedTuple

from keras import KerasTensor, ops

ENERGIES = ("linear", "neo-hooke", "mooney-rivlin", "yeoh", "polynomial", "convex")
KNOTS = (0.1, 0.3, 1.0, 2.0, 5.0)  # of I₁ − 3, at which a learnt energy becomes stiffer
MIN_STRETCH = 1e-3  # λ below counts as this

_COEFFICIENTS = {
    "linear": ("modulus",),
    "neo-hooke": ("c1",),
    "mooney-rivlin": ("c1", "c2"),
    "yeoh": ("c1", "c2", "c3"),
    "polynomial": ("c1", "c2", "c3"),
    "convex": ("c1", "c2", *(f"a{k + 1}" for k in range(len(KNOTS)))),
}


class Elastic(NamedTuple):
    """Elastic response, each (batch, parts).

    Attributes:
        energy: W = g²/2 [stress].
        stress: dW/dλ, nominal [stress].
        measure: g(λ) [√stress], of the sign of λ − 1.
        slope: dg/dλ [√stress], positive.
    """

    energy: KerasTensor
    stress: KerasTensor
    measure: KerasTensor
    slope: KerasTensor


def coefficient_names(energy: str) -> tuple[str, ...]:
    """Names of the coefficients of an energy, all in units of stress and not negative.

    Args:
        energy: one of `ENERGIES`.

    Raises:
        ValueError: another name.
    """
    if energy not in _COEFFICIENTS:
        raise ValueError(f"`energy` must be one of {', '.join(ENERGIES)}. Received: {energy!r}.")
    return _COEFFICIENTS[energy]


def initial_coefficients(energy: str, modulus: float) -> dict[str, float]:
    """Coefficients with a given small-strain modulus E = 6 (c1 + c2), the first one the largest.

    Args:
        energy: one of `ENERGIES`.
        modulus: E at λ = 1 [stress].

    Raises:
        ValueError: another name.
    """
    names = coefficient_names(energy)
    if energy == "linear":
        return {"modulus": modulus}
    c2 = modulus / 24 if names[1:2] == ("c2",) and energy != "yeoh" else 0.0
    # Stiffening begins small: a hundredth of the first coefficient.
    rest = {name: modulus / 600 for name in names[1:]}
    return {**rest, "c1": modulus / 6 - c2, **({"c2": c2} if c2 else {})}


def elastic(energy: str, c: Mapping[str, KerasTensor], strain: KerasTensor) -> Elastic:
    """Response of several springs of one kind to uniaxial tension or compression.

    linear          W = E ε²/2, ε = λ − 1: small strain
    neo-hooke       W = c1 J₁
    mooney-rivlin   W = c1 J₁ + c2 J₂
    yeoh            W = c1 J₁ + c2 J₁² + c3 J₁³
    polynomial      W = c1 J₁ + c2 J₂ + c3 J₁³, the terms C₁₀, C₀₁ and C₃₀ of Rivlin's polynomial
    convex          W = c1 J₁ + c2 J₂ + Σ a_k relu(J₁ − j_k)²/2, j_k from `KNOTS`: learnt

    with J₁ = I₁ − 3 = (λ−1)² (λ+2)/λ and J₂ = I₂ − 3 = (λ−1)² (2λ+1)/λ², incompressible; nominal
    stress P = dW/dλ = 2 (λ − λ⁻²) (∂W/∂I₁ + λ⁻¹ ∂W/∂I₂) (Rivlin 1948; Yeoh 1993, Rubber Chem.
    Technol. 66, 754). With coefficients ≥ 0 each W is a convex, increasing function of I₁ and I₂,
    convex in λ, and has its minimum 0 at λ = 1. The learnt one is a network of one hidden layer,
    convex in its input, because its output weights a_k are not negative.

    Args:
        energy: one of `ENERGIES`.
        c: name -> coefficient of each spring, (parts,).
        strain: λ − 1 [-], (batch, 1) or (batch, parts).
    """
    if energy == "linear":
        root = ops.sqrt(c["modulus"])
        stress = c["modulus"] * strain
        measure = root * strain
        return Elastic(ops.square(measure) / 2, stress, measure, ops.zeros_like(measure) + root)
    strain = ops.maximum(strain, MIN_STRETCH - 1.0)
    stretch = 1.0 + strain
    first, second = (stretch + 2.0) / stretch, (2.0 * stretch + 1.0) / ops.square(stretch)
    j1 = ops.square(strain) * first
    ratio, w1, w2 = _derivatives(energy, c, j1)
    double = 2.0 * (ratio * first + w2 * second)  # 2w
    factor = 2.0 * (stretch * (stretch + 1.0) + 1.0) / ops.square(stretch) * (w1 + w2 / stretch)
    root = ops.sqrt(double)
    measure = strain * root
    return Elastic(ops.square(measure) / 2, strain * factor, measure, factor / root)


def _derivatives(
    energy: str, c: Mapping[str, KerasTensor], j1: KerasTensor
) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
    """(W − c2 J₂)/J₁, ∂W/∂I₁ and ∂W/∂I₂; of the last one a constant."""
    c1 = c["c1"] + ops.zeros_like(j1)
    none = ops.zeros_like(c1)
    if energy == "neo-hooke":
        return c1, c1, none
    if energy == "mooney-rivlin":
        return c1, c1, none + c["c2"]
    if energy == "polynomial":
        c3 = c["c3"] * ops.square(j1)
        return c1 + c3, c1 + 3.0 * c3, none + c["c2"]
    if energy == "yeoh":
        c2, c3 = c["c2"] * j1, c["c3"] * ops.square(j1)
        return c1 + c2 + c3, c1 + 2.0 * c2 + 3.0 * c3, none
    ratio, w1 = c1, c1
    for k, knot in enumerate(KNOTS):
        above = ops.relu(j1 - knot)
        w1 = w1 + c[f"a{k + 1}"] * above
        ratio = ratio + c[f"a{k + 1}"] * ops.square(above) / (2.0 * ops.maximum(j1, KNOTS[0]))
    return ratio, w1, none + c["c2"]
