"""Where a run of a recipe writes: its report and its model, in one folder of its own."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from zoo import targets
from zoo.files import hold_folder

RUNS = Path("runs")
PUBLISHED = Path("saved_models")


@dataclass(frozen=True)
class RunPaths:
    """Files of one run.

    Attributes:
        name: of the run and of its model, such as "hysteresis-lstm".
        folder: of the run; None: runs/NAME.
        publish: whether the model replaces the shipped one of that name.

    Raises:
        ValueError: a name that is no name of a folder.
    """

    name: str
    folder: Path | None = None
    publish: bool = False

    def __post_init__(self) -> None:
        if self.name in ("", ".", "..") or {*self.name} & {*"/\\\0\n\r"}:
            raise ValueError(
                f"Expected a name of one word without slashes, such as sounds-birds. "
                f"Received: {self.name!r}."
            )

    @property
    def root(self) -> Path:
        """Folder of the run."""
        return self.folder or RUNS / self.name

    @property
    def report(self) -> Path:
        """The page."""
        return self.root / "report.html"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints that an interrupted run is resumed from."""
        return self.root / "checkpoints"

    @property
    def model(self) -> Path:
        """Folder of the exported model."""
        return PUBLISHED / self.name if self.publish else self.root / "model"

    def check(self, *, exports: bool = True, data: Path | None = None) -> None:
        """Check that the run can write, before it computes anything.

        Args:
            exports: whether it writes a model, not only a page.
            data: folder that the run reads; None: none.

        Raises:
            ValueError: in one line: a folder that is not its own or the data, cannot be written, a
                full disk, another run that is writing there.
        """
        if data is not None and self.root.resolve() == data.resolve():
            raise ValueError(
                f"{self.root}: is the folder of the data, which reports would become a part of. "
                "Give another folder."
            )
        targets.check_output_folder(self.root)
        targets.check_output_file(self.report)
        if exports:
            targets.check_export_target(self.model)
        for folder in (self.root, *([self.model] if exports and self.publish else [])):
            hold_folder(folder)

    def for_interrupted(self) -> "RunPaths":
        """Paths of a run whose training was interrupted: its model is not published."""
        return replace(self, publish=False)

    def remove_checkpoints(self) -> None:
        """Remove the checkpoints of this run; whatever else is in their folder stays."""
        for file in self.checkpoints.glob("*-seed*/*.npz*"):
            file.unlink(missing_ok=True)
        for folder in (*self.checkpoints.glob("*-seed*"), self.checkpoints):
            with contextlib.suppress(OSError):  # not empty, or not there
                folder.rmdir()
