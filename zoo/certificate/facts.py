"""What is known of a model that is certified."""

from dataclasses import dataclass

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
    """

    name: str
    material: Material | None = None
    trained: TrainedRange | None = None
    unit: str = "MPa"
    description: str = ""
