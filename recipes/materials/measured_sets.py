"""Measured data sets of the board: how each is read, what is learnt, what is held out."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from zoo.data import measured
from zoo.data.columns import Columns
from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Split
from zoo.progress import say

NO_TIME = "no column of time: rows are numbered; only laws that need none are fitted"
RATE_INDEPENDENT = ("chaboche", "prandtl-ishlinskii", "bouc-wen")
DYNAMIC = ("dynamic-prandtl", "dynamic-prandtl+covariates")
GIVEN = 300  # samples of the past of a record of ferrite
FERRITE_KHZ = (50, 80, 125, 200, 320, 500, 800)  # switching frequencies of the challenge's records


@dataclass(frozen=True)
class Fold:
    """One fit: which paths are learnt, which are scored.

    Attributes:
        name: of the fold.
        learn: indices of paths.
        score: indices of paths that the fit has not seen.
    """

    name: str
    learn: tuple[int, ...]
    score: tuple[int, ...]


@dataclass(frozen=True)
class MeasuredSet:
    """Tests of one material or device, with a fixed split.

    Attributes:
        name: of the set.
        what: one sentence: material, source, licence.
        split: how paths are learnt and held out, one sentence.
        data: every path; the paths' names are its groups.
        folds: fits.
        has_time: whether rates are known; without, only rate-independent laws are fitted.
        laws: names of presets of laws and of networks that are fitted.
        floor: sentences on the error that no law can be below.
        covariates: name -> its value of each path.
        factor: title of the column of errors after one factor a path; empty where there is none.
        given: rows of each path whose response is its given past: a law that is linear in its
            weights starts from a state estimated on them; 0: paths begin in the virgin state.
    """

    name: str
    what: str
    split: str
    data: Split
    folds: tuple[Fold, ...]
    laws: tuple[str, ...]
    has_time: bool = True
    floor: tuple[str, ...] = field(default=())
    covariates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    factor: str = ""
    given: int = 0


def read_vhb(folder: Path) -> MeasuredSet:
    """VHB 4910: learnt from the two loops to stretch 3, scored on the nine others."""
    files = _files(folder / "vhb4910", "stretch*_rate*.csv")
    data = measured.read_csv(files)
    learn = tuple(k for k, file in enumerate(files) if file.stem.startswith("stretch3.0"))
    rest = tuple(k for k in range(len(files)) if k not in learn)
    return MeasuredSet(
        "vhb4910",
        "Elastomer VHB 4910, one load–unload loop a specimen at constant rate (digitised from "
        "Hossain et al. 2012; MIT).",
        "Learnt from the two loops to stretch 3, scored on the nine others.",
        data,
        (Fold("stretch3.0", learn, rest),),
        (
            *("maxwell", "prony", "solid", "neo-hooke", "mooney-rivlin", "yeoh"),
            *("convex", *RATE_INDEPENDENT),
        ),
        floor=tuple(loading_scatter(data, [file.stem for file in files])),
    )


def read_steel(folder: Path) -> MeasuredSet:
    """Steel: each cyclic test is fitted and scored on itself and on the other."""
    files = _files(folder / "steel", "cyclic_[12].csv")
    data = measured.read_csv(files, Columns(time_step_s=1.0))
    say(f"steel: {NO_TIME}")
    file = folder / "steel/cyclic_3.csv"  # monotonic
    strain, _, stress = np.loadtxt(file, delimiter=",", skiprows=1).T
    elastic = stress < 0.5 * stress[:40].max()
    modulus = float(np.polyfit(strain[elastic], stress[elastic], 1)[0])
    return MeasuredSet(
        "steel",
        "Structural steel, two cyclic tests without a column of time (MIT).",
        "Fitted to one test, scored on the same and on the other.",
        data,
        (Fold("cyclic_1", (0,), (1,)), Fold("cyclic_2", (1,), (0,))),
        RATE_INDEPENDENT,
        has_time=False,
        floor=tuple(
            f"{file.stem}: {100 * bounded_tangent_floor(data, path, modulus):.1f} % for any law "
            f"whose tangent lies between 0 and E = {modulus / 1000:.0f} GPa (from the monotonic "
            "test): stress changes faster than that between some of its rows"
            for path, file in enumerate(files)
        ),
    )


def read_epoxy(folder: Path, every: int = 30) -> MeasuredSet:
    """Epoxy: leave one condition out; every thirtieth row, about one in three seconds."""
    files = _files(folder / "epoxy", "epoxy_*.csv")
    data = thin(measured.read_csv(files), every)
    count = len(files)
    levels = [tuple(float(level) for level in file.stem.split("_")[1:]) for file in files]
    folds = tuple(
        Fold(files[k].stem, tuple(i for i in range(count) if i != k), (k,)) for k in range(count)
    )
    return MeasuredSet(
        "epoxy",
        "Epoxy under cyclic tension of rising amplitude; filler, moisture and temperature differ "
        "(MIT).",
        f"Leave one condition out; every {every}th row. Constants do not know the condition, but "
        "for laws with covariates, whose constants are log-linear in the levels of filler, "
        "moisture and temperature (linear where they may have either sign).",
        data,
        folds,
        (
            *(
                "maxwell",
                "prony",
                "solid",
                "solid+covariates",
                "solid+shift",
                "mooney-rivlin",
                "chaboche",
            ),
            *("prandtl-ishlinskii", "prandtl-ishlinskii+covariates", *DYNAMIC),
            *("lstm+covariates", "gru+covariates", "lru+covariates", "mingru+covariates"),
        ),
        covariates=dict(
            zip(("filler", "moisture", "temperature"), zip(*levels, strict=True), strict=True)
        ),
    )


def read_mr_damper(folder: Path) -> MeasuredSet:
    """MR damper: force from displacement, five folds over runs."""
    files = _files(folder / "mr_damper", "*.csv")
    parts = [_damper_run(file) for file in files]
    names = [file.stem for file in files]
    data = join(parts, names, loading=("displacement", "-"), response="force")
    folds = tuple(
        Fold(
            f"runs {k}",
            tuple(i for i in range(len(files)) if i % 5 != k),
            tuple(i for i in range(len(files)) if i % 5 == k),
        )
        for k in range(5)
    )
    return MeasuredSet(
        "mr_damper",
        "Magneto-rheological damper on a shaking table, units not stated (MIT).",
        "Five folds over runs, every fifth one; the offset at rest is taken from the first 20 "
        "samples of each run, which are not scored; 50 Hz. For the columns with a factor the shape "
        "of dynamic-prandtl is learnt with a factor and an offset for each run.",
        data,
        folds,
        (
            *("maxwell", "solid", "dynamic-prandtl", *RATE_INDEPENDENT),
            *("lstm", "gru", "mingru", "lru"),
        ),
        factor="last two thirds, one factor a run from its first third",
    )


def read_ferrite(folder: Path) -> MeasuredSet:
    """Ferrite 3C90: field from flux density after a past of 300 samples."""
    with np.load(folder / "ferrite_3c90/transient.npz") as file:
        b, h, dt = file["b_t"], file["h_a_m"], 1 / float(file["rate_hz"])
        celsius = file["temperature_c"]
    # From the virgin state to the first sample in one step: what came before is not known.
    change = np.diff(b, axis=1, prepend=0.0)
    x = np.stack([b, change / dt, np.full(b.shape, dt)], axis=-1).astype(np.float32)
    weight = np.ones(b.shape, np.float32)
    weight[:, :GIVEN] = 0
    names = [f"{k}" for k in range(len(b))]
    data = as_split(x, h[..., None], "A/m", names, weight, ("flux density", "T"), "field")
    nominal = switching_frequencies(b, dt)
    folds = []
    for k in range(5):
        held = np.isin(nominal, FERRITE_KHZ[k::5])
        folds.append(
            Fold(f"frequencies {k}", tuple(np.flatnonzero(~held)), tuple(np.flatnonzero(held)))
        )
    return MeasuredSet(
        "ferrite_3c90",
        "Ferrite 3C90, transients at 16 MHz, 25 and 50 °C (MIT).",
        "Field from flux density; the first 300 samples of each record are the given past, not "
        "scored; five folds grouped by switching frequency, 50 to 800 kHz: no frequency that is "
        "scored was learnt. Laws with covariates know the temperature; the dynamic "
        "Prandtl–Ishlinskii laws start from a state that is estimated on the given past.",
        data,
        tuple(folds),
        (
            *("maxwell", "solid", *RATE_INDEPENDENT, *DYNAMIC),
            *("lru+covariates", "mingru+covariates"),
        ),
        covariates={"temperature": tuple(float(each) for each in celsius)},
        given=GIVEN,
    )


def switching_frequencies(flux: np.ndarray, dt: float) -> np.ndarray:
    """Nominal switching frequency of each record [kHz], from how often the flux turns round.

    Args:
        flux: (records, time).
        dt: time step [s].

    Returns:
        The nearest of `FERRITE_KHZ` by its logarithm, (records,).
    """
    nominal = []
    for record in flux:
        sign = np.sign(np.diff(record))
        sign = sign[sign != 0]
        turns = max(1, int(np.sum(sign[1:] != sign[:-1])))
        kilohertz = turns / 2 / (len(record) * dt) / 1000
        gaps = np.abs(np.log(np.array(FERRITE_KHZ) / kilohertz))
        nominal.append(FERRITE_KHZ[int(gaps.argmin())])
    return np.array(nominal)


READERS: dict[str, Callable[[Path], MeasuredSet]] = {
    "vhb4910": read_vhb,
    "steel": read_steel,
    "mr_damper": read_mr_damper,
    "epoxy": read_epoxy,
    "ferrite_3c90": read_ferrite,
}


def read_set(name: str, folder: Path, warm_up: int = 0) -> MeasuredSet:
    """A data set by name.

    Args:
        name: one of `READERS`.
        folder: of all data sets.
        warm_up: rows of each test that are its given past, neither fitted nor scored.
    """
    data_set = READERS[name](folder)
    return replace(data_set, data=measured.warm_up(data_set.data, warm_up))


def loading_scatter(data: Split, names: list[str]) -> Iterator[str]:
    """How far loading curves of other specimens at the same rate are from the largest one's.

    Args:
        data: one loop a path.
        names: stretchS_rateR of each path.
    """
    rates = [re.sub(r".*rate", "", name) for name in names]
    for rate in dict.fromkeys(rates):
        paths = [k for k, each in enumerate(rates) if each == rate]
        largest = max(paths, key=lambda k: float(data.x[k, :, 0].max()))
        strain, stress = _loading(data, largest)
        for path in paths:
            if path == largest:
                continue
            own, measured_stress = _loading(data, path)
            gap = np.interp(own, strain, stress) - measured_stress
            whole = data.y[path, counted(data, path), 0]
            share = np.sqrt(np.sum(gap**2) / np.sum(whole.astype(np.float64) ** 2))
            yield (
                f"{names[path]}: its loading branch differs from that of {names[largest]} by "
                f"{100 * share:.1f} % of the loop's RMS"
            )


def bounded_tangent_floor(data: Split, path: int, modulus: float) -> float:
    """Least RMSE/RMS of any stress history whose slope dσ/dε lies between 0 and E.

    Bounded least squares over the increments, by projected gradients with momentum, so the number
    is an upper estimate of the floor, close to it.

    Args:
        data: tests.
        path: which one.
        modulus: E [stress].
    """
    from scipy.optimize import minimize  # takes a second to import, and only steel needs it

    count = counted(data, path)
    change = (data.x[path, :, 1] * data.x[path, :, 2])[count].astype(np.float64)
    stress = data.y[path, count, 0].astype(np.float64)
    target, scale = stress[1:] - stress[0], np.sqrt(np.mean(stress**2))
    most = modulus * change[1:]
    bounds = np.stack([np.minimum(most, 0), np.maximum(most, 0)], axis=1)

    def cost(steps: np.ndarray) -> tuple[float, np.ndarray]:
        gap = np.cumsum(steps) - target
        return float(gap @ gap), 2 * np.cumsum(gap[::-1])[::-1]

    start = np.clip(np.diff(stress), *bounds.T)
    best = minimize(
        cost, start, jac=True, bounds=bounds, method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10000, "ftol": 1e-12},
    )  # fmt: skip
    return float(np.sqrt(best.fun / len(stress)) / scale)


def counted(data: Split, path: int) -> np.ndarray:
    """Which samples of a path count, (time,) bool."""
    if data.weight is None:
        return np.ones(data.x.shape[1], bool)
    return data.weight[path] > 0


def thin(data: Split, every: int) -> Split:
    """Every n-th row of each path; steps are joined.

    Args:
        data: measured paths.
        every: n.
    """
    parts = []
    for path in range(len(data.x)):
        keep = counted(data, path)
        time = np.cumsum(data.x[path, keep, 2], dtype=np.float64)
        parts.append(
            _path(time[::every], data.x[path, keep, 0][::every], data.y[path, keep, 0][::every])
        )
    return join(parts, list(data.groups), data.targets[0].unit)


def join(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
    names: list[str],
    unit: str = "-",
    loading: tuple[str, str] = ("strain", "-"),
    response: str = "stress",
) -> Split:
    """Paths of different lengths as one split, padded by holds of weight 0.

    Args:
        parts: x (time, 3), y (time,), weight (time,) of each.
        names: of each.
        unit: of the targets.
        loading: its name and unit.
        response: its name.
    """
    steps = max(len(x) for x, _, _ in parts)
    x, y = np.zeros((len(parts), steps, 3)), np.zeros((len(parts), steps, 1))
    weight = np.zeros((len(parts), steps))
    for path, (inputs, target, counts) in enumerate(parts):
        rows = len(inputs)
        x[path, :rows], y[path, :rows, 0], weight[path, :rows] = inputs, target, counts
        x[path, rows:] = (inputs[-1, 0], 0.0, inputs[-1, 2])
    return as_split(x, y, unit, names, weight, loading, response)


def as_split(
    x: np.ndarray,
    y: np.ndarray,
    unit: str,
    names: list[str],
    weight: np.ndarray | None,
    loading: tuple[str, str] = ("strain", "-"),
    response: str = "stress",
) -> Split:
    """Arrays as a split of measured tests; see `zoo.data.split.Split`.

    Args:
        x: (paths, time, 3).
        y: (paths, time, 1).
        unit: of the response.
        names: of the paths.
        weight: (paths, time); None: all steps count alike.
        loading: its name and unit.
        response: its name.
    """
    return Split(
        "measured",
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        inputs=loading_inputs(*loading),
        targets=(response_target(response, unit),),
        groups=np.array(names),
        weight=None if weight is None else weight.astype(np.float32),
    )


def _path(
    time: np.ndarray, position: np.ndarray, force: np.ndarray, given: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, target and weight of one path; the first `given` samples are not scored."""
    dt = np.diff(time)
    dt = np.append(dt[0], dt)
    rate = np.append(0.0, np.diff(position)) / dt
    weight = np.ones(len(time))
    weight[:given] = 0
    return np.stack([position, rate, dt], axis=-1), force, weight


def _damper_run(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One run at 50 Hz, displacement and force less their values at rest."""
    time, position, force = np.loadtxt(file, delimiter=",", skiprows=1).T
    every = max(1, round(0.02 / float(np.median(np.diff(time)))))
    time, position, force = time[::every], position[::every], force[::every]
    return _path(time, position - position[0], force - force[:20].mean(), given=20)


def _loading(data: Split, path: int) -> tuple[np.ndarray, np.ndarray]:
    """Strain and stress up to the largest strain."""
    keep = counted(data, path)
    strain, stress = data.x[path, keep, 0], data.y[path, keep, 0]
    top = int(np.argmax(strain)) + 1
    return strain[:top].astype(np.float64), stress[:top].astype(np.float64)


def _files(folder: Path, pattern: str) -> list[Path]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise ValueError(
            f"{folder}: no files {pattern}, expected those of the data set. Give the folder that "
            f"holds {folder.name} by --data PATH."
        )
    return files
