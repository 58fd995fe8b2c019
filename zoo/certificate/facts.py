"""What is known of a model that is certified."""

from dataclasses import dataclass, replace

from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange


@dataclass(frozen=True)
class ModelFacts:
    """Name, true law and trained range of a stress-history model.

    Attributes:
        name: for the page.
        material: constants of the true law; None where it is not known.
        trained: range that the model was trained on; None where it is not known.
        unit: of stress.
        description: one sentence; may be empty.
        trained_source: where the range comes from, if not from the manifest, such as "rubber.csv".
        loading: name and unit of what the model takes.
        response: name of what it gives.
        covariates: names of further features, constant over a path.
    """

    name: str
    material: Material | None = None
    trained: TrainedRange | None = None
    unit: str = "MPa"
    description: str = ""
    trained_source: str = ""
    loading: tuple[str, str] = ("strain", "-")
    response: str = "stress"
    covariates: tuple[str, ...] = ()

    def with_law(
        self, modulus_mpa: float, nu0_s: float, sigma0_mpa: float, exponent: float
    ) -> "ModelFacts":
        """The same with another true law, a Maxwell solid with power-law viscosity.

        Args:
            modulus_mpa: E [MPa].
            nu0_s: viscous time ν0 [s].
            sigma0_mpa: stress scale σ0 [MPa].
            exponent: m [-].

        Raises:
            ValueError: constants out of their range.
        """
        return replace(self, material=Material(modulus_mpa, nu0_s, sigma0_mpa, exponent))
