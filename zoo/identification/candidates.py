"""Candidate laws for a measured test, fitted alike, from few constants to many."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np

from zoo import presets
from zoo.data.long_tests import thin_out
from zoo.data.split import Split
from zoo.edge.past import PastStart
from zoo.identification.fit import Identification, Search, fit_response
from zoo.identification.nesting import SMALL, contained_weights
from zoo.identification.response import Response
from zoo.identification.settings import RATE_INDEPENDENT
from zoo.presets import Preset
from zoo.presets.covariates import with_covariates
from zoo.recurrent import predictor, recurrent_layers
from zoo.stress.scoring import Baseline

RIDGE = 0.01  # on the weights of a learnt curve, in units of the RMS stress; see `Search`
WITH_RIDGE = ("relaxation", "convex", "dynamic-prandtl")  # of many weights
BRANCHES = {"chaboche": "back_stresses"}  # what `branches` is to a cell, if not so called
MAX_ROWS = 2000  # of a path that a law is fitted to; longer ones are thinned out
COMPARED_ROWS = 4000  # of a path that laws are compared on, where it cannot be thinned out
COMPARED_SAMPLES = 30_000  # of all paths that laws are compared on; of more, some paths are taken
PROFILED_SAMPLES = 60_000  # of all paths up to which intervals are profiled
PROFILED_ROWS = 6000  # of a path up to which intervals are profiled, which takes hundreds of fits
FITTED_ROWS = 50_000  # of a path that constants are fitted to; a loop over more takes too long


@dataclass(frozen=True)
class Candidate:
    """A law that may describe a test.

    Attributes:
        law: one of `zoo.identification.settings.LAWS`.
        branches: as there; None: the law's own number.
        has_time: whether rates are known; without, a Bouc–Wen element has no dashpot.
        covariates: names of what its constants depend on.
        shared: they shift all stiffnesses by one factor and all times by another.
    """

    law: str
    branches: int | None = None
    has_time: bool = True
    covariates: tuple[str, ...] = ()
    shared: bool = False

    @property
    def name(self) -> str:
        """For tables, such as "prony, 2 branches"."""
        verb = "shifted by" if self.shared else "by"
        by = f" {verb} {', '.join(self.covariates)}" if self.covariates else ""
        if self.branches is None:
            return f"{self.law}{by}"
        return f"{self.law}, {self.branches} branch{'es' if self.branches > 1 else ''}{by}"

    @property
    def is_rate_independent(self) -> bool:
        """Whether the law knows no rate; a Bouc–Wen element has a dashpot where there are times."""
        has_dashpot = self.law in BOUC_WEN and self.has_time
        return self.law in RATE_INDEPENDENT and not has_dashpot

    @property
    def ridge(self) -> float:
        """Strength that holds the weights of a learnt curve."""
        return RIDGE if self.law in WITH_RIDGE or self.covariates else 0.0

    @property
    def options(self) -> str:
        """Options of `zoo identify` that fit this law."""
        branches = "" if self.branches is None else f" --branches {self.branches}"
        shift = " --shift" if self.shared else ""
        by = "".join(f" --covariate {shlex.quote(name)}" for name in self.covariates)
        return f"--law {self.law}{branches}{by}{shift}"


# By number of weights, of which those of a learnt curve are many.
CANDIDATES = (
    Candidate("prony", 1),
    Candidate("maxwell"),
    Candidate("solid", 1),
    Candidate("power-solid"),
    Candidate("prony", 2),
    Candidate("solid", 2),
    Candidate("power-solid", 2),
    Candidate("prony", 3),
    Candidate("solid", 3),
    Candidate("relaxation", 1),
    Candidate("relaxation", 2),
)


WIDE = 1e4  # longest time over shortest step, from which on three branches may be too few
UNEVEN = 100  # longest step over shortest: times that were sampled over decades, as of a relaxation
MANY_BRANCHES = (4, 5)
LARGE_STRAIN = 0.1  # from which on springs of large strain differ from linear ones
STEADY = 0.01  # of the range of a loading, within which it may go back and still be steady
MIN_TURNS = 2  # turning points of the loading that show friction
MAGNETIC = (Candidate("solid", 1), Candidate("solid", 2))  # of the viscous laws, for a magnet
BOUC_WEN = ("bouc-wen", "bouc-wen-hardening")
DYNAMIC = ("flux density", "displacement")  # loadings of magnets and dampers: friction and rate
FRICTION = (
    Candidate("bouc-wen"),
    Candidate("armstrong-frederick"),
    Candidate("chaboche", 1),
    Candidate("chaboche", 2),
    Candidate("prandtl-ishlinskii"),
)
PULLED = (Candidate("armstrong-frederick"), Candidate("chaboche", 1))
LARGE = (
    Candidate("neo-hooke", 1),
    Candidate("mooney-rivlin", 1),
    Candidate("yeoh", 1),
    Candidate("mullins", 1),
    Candidate("mooney-rivlin", 2),
    Candidate("convex", 1),
)


def candidates_for(data: Split, *, has_time: bool = True) -> tuple[Candidate, ...]:
    """The laws that a test can be described by.

    Solids of four and five branches where steps reach over decades, as of a relaxation. Springs of
    large strain, and one that softens, where the strain reaches 10 % and more; elastoplasticity,
    play operators and Bouc–Wen where the loading turns round twice or more; those alone where no
    times are known, since they need none. Elastoplasticity where a strain turns nowhere, too, as
    metals are pulled. A Bouc–Wen element whose spring hardens, a fluid damper, and an oscillator
    where a displacement follows from a force, are of parts: tried on displacements alone. Where a
    field follows from a flux density, solids alone of the viscous laws.

    Args:
        data: the test.
        has_time: whether its times were measured.
    """
    name = data.inputs[0].name
    if name == "force" and data.targets[0].name == "displacement" and has_time:
        return (Candidate("bouc-wen-oscillator"), *CANDIDATES[:3])
    friction = tuple(replace(each, has_time=has_time) for each in FRICTION)
    if name == "displacement":  # of a part, whose spring hardens with its shape
        dampers = (Candidate("power-damper"),) if has_time else ()
        friction += (*dampers, Candidate("bouc-wen-hardening", has_time=has_time))
    if covariates := tuple(each.name for each in data.inputs[3:]):
        solids = [Candidate("solid", count) for count in (1, 2)] if has_time else []
        flowing = [Candidate("power-solid")] if has_time else []
        shifted = [replace(each, shared=True) for each in (*solids, *flowing)]
        laws = [*shifted, *solids, *friction]
        laws += [Candidate("dynamic-prandtl")] if has_time and name in DYNAMIC else []
        return tuple(replace(each, covariates=covariates) for each in laws)
    if not has_time:
        return friction
    chosen = MAGNETIC if name == "flux density" else CANDIDATES + _of_many_times(data)
    low, high = float(data.x[..., 0].min()), float(data.x[..., 0].max())
    if name == "strain" and max(-low, high) >= LARGE_STRAIN and low > -1:
        chosen += LARGE
    turns = _turns(data)
    if turns < MIN_TURNS:  # a metal that is pulled until it fails turns nowhere
        return chosen + (PULLED if not turns and name == "strain" else ())
    return chosen + friction + ((Candidate("dynamic-prandtl"),) if name in DYNAMIC else ())


def _of_many_times(data: Split) -> tuple[Candidate, ...]:
    """Solids of more branches, about one a decade, where the steps of a test reach over decades."""
    counts = np.ones(data.x.shape[:2], bool) if data.weight is None else data.weight > 0
    steps = data.x[..., 2][counts]
    steps = steps[steps > 0]
    ratio = float((data.x[..., 2] * counts).sum(axis=1).max() / steps.min()) if len(steps) else 1.0
    is_wide = ratio > WIDE and float(steps.max()) > UNEVEN * float(steps.min())
    return tuple(Candidate("solid", count) for count in MANY_BRANCHES) if is_wide else ()


def _turns(data: Split) -> int:
    """Most turning points of the loading in a path; noise, below `STEADY` of its range, is none."""
    counts = np.ones(data.x.shape[:2], bool) if data.weight is None else data.weight > 0
    return max(_turns_of(data.x[path, counts[path], 0]) for path in range(len(data.x)))


def _turns_of(loading: np.ndarray) -> int:
    """How often a loading comes back from its last extreme by more than `STEADY` of its range."""
    least, turns, direction = STEADY * float(np.ptp(loading)), 0, 0
    low = high = float(loading[0])
    for value in loading.tolist():
        low, high = min(low, value), max(high, value)
        if direction <= 0 and value - low > least:
            turns, direction, high = turns + (direction < 0), 1, value
        elif direction >= 0 and high - value > least:
            turns, direction, low = turns + (direction > 0), -1, value
    return turns


@dataclass(frozen=True)
class FittedLaw:
    """A candidate with its constants.

    Attributes:
        candidate: the law.
        model: with the fitted weights.
        result: constants, intervals, warnings.
        response: compiled, to the loading of the test; None if it was not kept.
        start: how it starts from the measured past of a record; None where it begins at rest.
    """

    candidate: Candidate
    model: keras.Model
    result: Identification
    response: Response | None = None
    start: PastStart | None = None

    @property
    def baseline(self) -> Baseline:
        """As a model to compare with."""
        return Baseline(predictor(self.model), parameters=self.model.count_params())


def best_contained(
    response: Response, y: np.ndarray, fitted: Sequence[FittedLaw]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Weights of a law that respond as the best fitted of the laws that it contains.

    Args:
        response: of the law to the test.
        y: stress, (paths, time, 1).
        fitted: other laws, fitted to the same test.

    Returns:
        What that law lacks small, and absent, as `Search` takes them; None if it contains none.
    """
    stress = np.asarray(y, np.float64)[response.counts][:, 0]
    best, least = None, np.inf
    for law in fitted:
        cell, weights = recurrent_layers(law.model)[0].cell, law.result.found.weights
        absent = contained_weights(response.cell, cell, weights)
        small = contained_weights(response.cell, cell, weights, SMALL)
        if absent is None or small is None:
            continue
        misfit = float(np.sum((response(absent) - stress) ** 2))
        if misfit < least:
            best, least = (small, absent), misfit
    return best


def fit_candidate(
    candidate: Candidate,
    data: Split,
    *,
    starts: int = 2,
    seed: int = 0,
    fitted: Sequence[FittedLaw] = (),
    say: Callable[[str], None] | None = None,
) -> FittedLaw:
    """Fit one law by least squares.

    Args:
        candidate: the law.
        data: the test; samples of weight 0 are not compared. Paths of more than `MAX_ROWS` rows
            are thinned out.
        starts: first guesses.
        seed: of those.
        fitted: laws fitted to the same test before; one guess is the best of those that the law
            contains, and it does not end above that one.
        say: takes a line of progress.

    Raises:
        ValueError: a test that the law cannot be fitted to.
    """
    thinned = thin_out(data, MAX_ROWS).data
    model = candidate_preset(candidate, thinned).build(thinned.x, thinned.y, thinned.weight)
    response = Response(model, thinned.x, thinned.weight, thinned.inputs[0].unit)
    contained = best_contained(response, thinned.y, fitted)
    search = Search(starts, seed, candidate.ridge, contained=contained)
    result = fit_response(response, thinned.y, unit=data.targets[0].unit, search=search, say=say)
    return FittedLaw(candidate, model, result)


def fit_candidates(
    data: Split,
    candidates: Sequence[Candidate] = CANDIDATES,
    *,
    starts: int = 2,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, FittedLaw]:
    """Fit every law; those that cannot be fitted are left out, in one line each.

    Args:
        data: the test.
        candidates: laws to fit.
        starts: first guesses of each.
        seed: of those.
        say: takes a line of progress.

    Returns:
        Name of the law -> the fit.
    """
    fitted = {}
    for candidate in candidates:
        try:
            before = tuple(fitted.values())
            law = fit_candidate(candidate, data, starts=starts, seed=seed, fitted=before)
        except ValueError as error:
            say(f"{candidate.name} is left out: {error}")
            continue
        fitted[candidate.name] = law
        size = law.result.rmse / np.sqrt(np.mean(np.square(data.y, dtype=np.float64)))
        say(f"{candidate.name}: residual {100 * size:.3g} % of RMS")
    return fitted


def candidate_preset(candidate: Candidate, data: Split) -> Preset:
    """The preset of a candidate.

    Args:
        candidate: the law.
        data: the test, whose typical sizes give the first guesses.
    """
    if candidate.law in BOUC_WEN and not candidate.has_time:
        preset = presets.material(candidate.law, dashpot=False)
    else:
        preset = law_preset(candidate.law, candidate.branches, data)
    if not candidate.covariates:
        return preset
    return with_covariates(preset, candidate.covariates, shared=candidate.shared)


def law_preset(law: str, branches: int | None, data: Split) -> Preset:
    """The law with this many branches, their relaxation times spread over two decades.

    Args:
        law: "maxwell", "prony", "relaxation", or one of `zoo.presets.SOLIDS`.
        branches: of prony or relaxation; None: 3 and 1. Of a solid, None: 2; of chaboche the number
            of back-stresses.
        data: the test, whose typical sizes give the first guesses.
    """
    if law in presets.SOLIDS:
        name = BRANCHES.get(law, "branches")
        preset = presets.material(law, **({name: branches} if branches else {}))
        return replace(preset, description=_with_number(preset.description, branches))
    if law == "relaxation":
        return presets.material(law, branches=branches or 1)
    if law == "maxwell" or branches in (None, 3):
        return presets.material(law)
    x = data.x[..., :3]  # without covariates
    first = presets.material(law).build(x, data.y, data.weight).layers[-1].cell.constants()
    spread = np.logspace(-1, 1, branches) if branches > 1 else np.ones(1)
    return presets.material(
        law,
        moduli=[sum(first["moduli"]) / branches] * branches,
        times=(float(np.median(first["times"])) * spread).tolist(),
    )


def _with_number(description: str, branches: int | None) -> str:
    """A preset's description, which speaks of two branches or back-stresses, with their number."""
    if branches is None:
        return description
    for what, one in (("branches", "branch"), ("back-stresses", "back-stress")):
        now = f"one {one}" if branches == 1 else f"{branches} {what}"
        description = description.replace(f"two {what}", now)
    return description
