"""Comparison of a result with its simplest baseline, below which a model is not worth exporting."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """One metric of a model beside that of its simplest baseline, on the same data.

    Attributes:
        metric: name, such as "nRMSE".
        value: of the model.
        baseline: value of the baseline.
        baseline_name: what it is.
        is_higher_better: whether a higher value is the better one.
    """

    metric: str
    value: float
    baseline: float
    baseline_name: str
    is_higher_better: bool = False

    @property
    def is_worse(self) -> bool:
        """Whether the model is worse than the baseline; NaN is worse than anything."""
        if self.is_higher_better:
            return not self.value >= self.baseline
        return not self.value <= self.baseline

    @property
    def warnings(self) -> list[str]:
        """What card and report must say first: nothing, or that the model is worse."""
        if not self.is_worse:
            return []
        return [
            f"Worse than the simplest baseline: {self.metric} {self.value:.3g}, "
            f"{self.baseline_name} {self.baseline:.3g}."
        ]

    def require_better(self, *, force: bool) -> None:
        """Refuse to export a model that is worse than its simplest baseline.

        Args:
            force: export it nevertheless.

        Raises:
            ValueError: it is worse, and `force` is not given.
        """
        if self.is_worse and not force:
            raise ValueError(
                f"{self.warnings[0]} The model is not exported. Train it longer or with a lower "
                "--learning-rate, or give --force to export it with this sentence on its card."
            )
