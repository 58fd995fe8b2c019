"""Settings of an identification from a CSV file."""

from dataclasses import dataclass
from pathlib import Path

from zoo.data.columns import Columns
from zoo.runs import RunPaths

# Need no time; Bouc–Wen then has no dashpot.
RATE_INDEPENDENT = (
    *("armstrong-frederick", "chaboche", "prandtl-ishlinskii", "bouc-wen", "bouc-wen-hardening"),
)
OSCILLATOR = "bouc-wen-oscillator"
WITH_BRANCHES = (
    *("prony", "relaxation", "solid", "neo-hooke", "mooney-rivlin", "yeoh", "mullins"),
    *("convex", "power-solid", "chaboche"),
)
SHIFTED = (
    "prony",
    "power-solid",
    "solid",
    "neo-hooke",
    "mooney-rivlin",
    "yeoh",
    "mullins",
    "convex",
)  # name their times
LAWS = (
    *("maxwell", *WITH_BRANCHES, "armstrong-frederick", "prandtl-ishlinskii"),
    *("dynamic-prandtl", "power-damper", "bouc-wen", "bouc-wen-hardening", OSCILLATOR),
)


@dataclass(frozen=True)
class IdentificationSettings:
    """Which law is fitted to which test, and where the results go.

    Attributes:
        csv: tables with a header, other specimens in each; see `zoo.data.measured.read_csv`.
        law: one of `LAWS`; None: all are compared, and the best is chosen.
        branches: of prony (None: 3), relaxation (None: 1) or a solid (None: 2), back-stresses of
            chaboche (None: 2), of power-solid and mullins None: 1; other laws have one.
        columns: of the file.
        cycles: repeats of the first full cycle put before the data, where a test begins in the
            middle of cyclic loading.
        starts: first guesses.
        seed: of those.
        out: folder of report and model; None: runs/NAME.
        command: that repeats the run, for report and card.
        warm_up: rows at the beginning of each test that are its given past, not scored.
        free_initial_state: whether the state before the first row of each specimen is fitted
            with the constants, for a test that does not begin at rest; else it is zero.
        shift: covariates shift all stiffnesses by one factor and all times by another.
    """

    csv: Path | tuple[Path, ...]
    law: str | None = None
    branches: int | None = None
    columns: Columns = Columns()
    cycles: int = 0
    starts: int = 5
    seed: int = 0
    out: Path | None = None
    command: str = "zoo identify"
    warm_up: int = 0
    free_initial_state: bool = False
    shift: bool = False

    def __post_init__(self) -> None:
        if self.shift and not (self.law in SHIFTED and self.columns.covariates):
            raise ValueError(
                f"`shift` is of covariates and of one of {', '.join(SHIFTED)}. Received: "
                f"law={self.law!r}, covariates={', '.join(self.columns.covariates) or 'none'}. "
                "Give --law and --covariate, or leave it out: then shifts are among the candidates."
            )
        if self.free_initial_state and self.law is None:
            raise ValueError(
                "A free initial state belongs to a law. Received: free_initial_state=True without "
                "a law. Name it by --law: laws are compared over specimens that a fit has not "
                "seen, whose initial state would not be known."
            )
        if self.warm_up < 0:
            raise ValueError(f"`warm_up` must be 0 or more rows. Received: {self.warm_up}.")
        if self.law is None and self.branches is not None:
            raise ValueError(
                f"The number of branches belongs to a law. Received: branches={self.branches} "
                "without a law. Name it by --law, or leave both out: then all are compared."
            )
        if self.law is not None and self.law not in LAWS:
            raise ValueError(f"`law` must be one of {', '.join(LAWS)}. Received: {self.law!r}.")
        if self.law not in WITH_BRANCHES and self.branches not in (None, 1):
            raise ValueError(
                f"The law {self.law} has one branch. Received: branches={self.branches}. "
                "Use relaxation or prony for more."
            )

    @property
    def name(self) -> str:
        """Name of the fitted model."""
        first = self.csv if isinstance(self.csv, Path) else self.csv[0]
        return f"{first.stem}-{self.law or 'identified'}"

    @property
    def paths(self) -> RunPaths:
        """Where report and model go."""
        return RunPaths(self.name, self.out)
