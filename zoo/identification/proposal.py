"""Which law a measured test supports: candidates, cross-validated over specimens or over blocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.data.long_tests import thin_out
from zoo.data.split import Split
from zoo.identification.candidates import (
    MAX_ROWS,
    Candidate,
    FittedLaw,
    best_contained,
    candidate_preset,
    candidates_for,
)
from zoo.identification.fit import Identification, Search, fit_response, refit
from zoo.identification.linear_fit import LINEAR_LAWS, LinearFolds, rows_of_past
from zoo.identification.nesting import contained_weights
from zoo.identification.response import Response
from zoo.recurrent import recurrent_layers
from zoo.stress.recommendation import SAME, Recommendation, recommend
from zoo.stress.scoring import Errors

MAX_FOLDS = 5  # over specimens
BLOCKS = 4  # of one specimen, each from one turning point of the strain to a later one
CURVE_STARTS = 2  # first guesses of a law with a learnt curve, whose fit takes a minute
HELD = 1e-6  # of the fastest rate: steps in which the loading is held
MIN_HOLD = 5  # steps
RELAXED = 0.1  # of the range of a response, which it changes by in a hold that shows relaxation
ALIKE = 1.5  # factor between held-out errors of two kinds of law that are hardly told apart
FOLD_TOLERANCE = 1e-6  # of a fit without a fold, whose error is compared within 5 %
HELD_OUT = "held out"
FITTED = "fitted"
FARTHER = 1.2  # factor by which a held-out loading may exceed the learnt one unsaid
AS_WELL = 1.001  # factor between errors of one fit
MIN_ERROR = 1e-6  # nRMSE; below, it is the precision of the search that differs
MAX_OPEN = 0.5  # share of a law's constants that a test may leave open
ORDER = 1e-6  # so small that it only orders laws that are the same to the BIC


@dataclass(frozen=True)
class RankedLaw:
    """One candidate on one test.

    Attributes:
        law: fitted to the whole test.
        fitted: its nRMSE there [-].
        held_out: nRMSE of samples that a fit has not seen, pooled over the folds [-]; infinite if
            a fold could not be fitted.
        folds: nRMSE of each fold [-].
        open_share: see `share_of_open`.
    """

    law: FittedLaw
    fitted: float
    held_out: float
    folds: tuple[float, ...]
    open_share: float = 0.0


@dataclass(frozen=True)
class Proposal:
    """Candidates for one test, the best one first.

    Attributes:
        ranked: by held-out error.
        choice: the law to use and why.
        split: how samples were held out, one clause.
    """

    ranked: tuple[RankedLaw, ...]
    choice: Recommendation
    split: str

    @property
    def winner(self) -> FittedLaw:
        """The recommended law, fitted to the whole test."""
        return next(each.law for each in self.ranked if each.law.candidate.name == self.choice.name)

    @property
    def scores(self) -> dict[str, Errors]:
        """Law -> split -> {"nrmse": error}."""
        return {
            each.law.candidate.name: {
                FITTED: {"nrmse": each.fitted},
                HELD_OUT: {"nrmse": each.held_out},
            }
            for each in self.ranked
        }


def propose(
    data: Split,
    candidates: Sequence[Candidate] | None = None,
    *,
    has_time: bool = True,
    starts: int = 3,
    seed: int = 0,
    has_past: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Proposal:
    """Fit and cross-validate every candidate, and choose by held-out error and parsimony.

    Whole specimens are held out in turn, or, of a single specimen, its tests or, of a single test,
    blocks of its time between turning points of the strain; the loading of a held-out block is
    kept, so that its stress is predicted from the whole history. Of the laws within 5 % of the
    lowest error the one of the lowest Bayesian information criterion is chosen, see `choose_law`.

    Args:
        data: the test; paths of more than `MAX_ROWS` rows are thinned out.
        candidates: laws to compare; None: `candidates_for` the test.
        has_time: whether the times of the test were measured.
        starts: first guesses for the whole test, two at most for a learnt curve; a fold begins
            where that fit ended.
        seed: of those, and of the folds.
        has_past: whether the rows at the beginning that do not count are the measured past of each
            path, from which laws that are linear in their weights start.
        say: takes a line of progress.

    Raises:
        ValueError: no candidate can be fitted.
    """
    thinned = thin_out(data, MAX_ROWS).data
    folds = list(held_out_folds(thinned, seed))
    if candidates is None:
        candidates = candidates_for(thinned, has_time=has_time)
    specimens = len(set(data.groups.tolist()))
    parts = f"{len(data.x)} tests" if len(data.x) > 1 else "blocks"
    held = f"{specimens} specimens" if specimens > 1 else f"{parts} of one specimen"
    split = f"{len(folds)} folds over {held}"
    if farther := beyond_learnt(thinned, folds):
        split = f"{split}; {farther}"
    say(f"{len(candidates)} laws, {split}")
    ranked = []
    for candidate in candidates:
        if reason := _needless(candidate, ranked):
            say(f"{candidate.name} is left out: {reason}")
            continue
        try:
            count = min(starts, CURVE_STARTS) if candidate.ridge else starts
            search = Search(count, seed, candidate.ridge)
            before = [each.law for each in ranked]
            result = _validate(candidate, thinned, folds, search, has_past, before)
        except ValueError as error:
            say(f"{candidate.name} is left out: {error}")
            continue
        ranked.append(result)
        say(
            f"{candidate.name}: fitted {100 * result.fitted:.3g} %, held out "
            f"{100 * result.held_out:.3g} % of RMS"
        )
    if not ranked:
        raise ValueError("No law can be fitted to this test. Check the units of time and stress.")
    ranked.sort(key=lambda each: each.held_out)
    scores = {
        each.law.candidate.name: {HELD_OUT: {"nrmse": each.held_out}}
        for each in ranked
        if np.isfinite(each.held_out)
    }
    counts = {each.law.candidate.name: each.law.model.count_params() for each in ranked}
    wider = choose_law(ranked)
    chosen = simplest_form(wider, ranked)
    name, why = chosen.law.candidate.name, ""
    if ranked[0].open_share > MAX_OPEN:
        why = "is passed over, as the test leaves most of its constants open"
    elif chosen is not wider and wider is ranked[0]:
        why = f"is passed over, as its fit to the whole test is that of {name}"
    return Proposal(tuple(ranked), recommend(scores, counts, HELD_OUT, name, why), split)


def simplest_form(chosen: RankedLaw, ranked: Sequence[RankedLaw]) -> RankedLaw:
    """Of the laws that a law contains that with fewest weights which fits the test as well.

    What the law has beyond it is then absent from its fit, and shows in the folds alone.

    Args:
        chosen: by `choose_law`.
        ranked: all laws.
    """

    def is_form(each: RankedLaw) -> bool:
        if each is chosen or each.fitted > AS_WELL * chosen.fitted:
            return False
        wide, narrow = (recurrent_layers(law.model)[0].cell for law in (chosen.law, each.law))
        return contained_weights(wide, narrow, each.law.result.found.weights) is not None

    forms = [each for each in ranked if np.isfinite(each.held_out) and is_form(each)]
    return min([chosen, *forms], key=lambda each: each.law.model.count_params())


def _needless(candidate: Candidate, ranked: Sequence[RankedLaw]) -> str:
    """Why a second branch with a learnt curve, the slowest fit of all, is not tried; else empty."""
    if candidate != Candidate("relaxation", 2):
        return ""
    errors = {each.law.candidate: each.held_out for each in ranked}
    curve, power = (errors.get(each) for each in (Candidate("relaxation", 1), Candidate("maxwell")))
    if curve is None or power is None or SAME * curve < power:
        return ""
    return "with one branch its curve is no better than the power law of maxwell"


def choose_law(ranked: Sequence[RankedLaw]) -> RankedLaw:
    """Of the laws within 5 % of the lowest held-out error, that of the lowest BIC.

        BIC = n ln(Σr²/n) + p ln n

    of the fit to the whole test (Schwarz 1978, Ann. Stat. 6, 461), where n is how many of the
    samples count as independent, by the correlation of the best law's residuals: a law that is
    wrong, whose residuals are correlated, does not call for parameters by the number of its rows.

    A law most of whose constants the test leaves open stands back behind those that are up to
    `ALIKE` times as far off: it has found a limit, such as moduli without end, not a material.

    Args:
        ranked: by held-out error, the lowest first.
    """
    clear = [each for each in ranked if each.open_share <= MAX_OPEN]
    clear = [each for each in clear if each.held_out <= ALIKE * ranked[0].held_out]
    best = (clear or ranked)[0]
    result = best.law.result
    count = float(np.clip(result.effective, 2.0, result.samples))

    def bic(each: RankedLaw) -> float:
        parameters = each.law.model.count_params() + ORDER * each.held_out / best.held_out
        return 2 * count * float(np.log(max(each.fitted, MIN_ERROR))) + parameters * np.log(count)

    alike = [each for each in clear or ranked if each.held_out <= SAME * best.held_out]
    return min(alike or [best], key=bic)


def share_of_open(law: FittedLaw) -> float:
    """Share of a law's constants to which the test gives no end of an interval [-].

    Args:
        law: fitted to the whole test. A ridge holds the constants of a learnt curve, so none is
            open.
    """
    estimates = law.result.estimates.values()
    if law.candidate.ridge or not estimates:
        return 0.0
    return sum(not each.is_bounded for each in estimates) / len(estimates)


def held_out_folds(data: Split, seed: int = 0) -> Iterator[np.ndarray]:
    """Which samples each fold holds out, (paths, time) bool; every counted sample is in one fold.

    Specimens are dealt out by their largest loading, so that those that go farthest are not in one
    fold, whose error would be that of an extrapolation.

    Args:
        data: the test.
        seed: of the order of specimens that go as far.
    """
    counts = np.ones(data.x.shape[:2], bool) if data.weight is None else data.weight > 0
    groups = np.unique(data.groups)
    if len(groups) > 1:
        groups = np.random.default_rng(seed).permutation(groups)
        sizes = [_largest(data, counts & (data.groups == each)[:, None]) for each in groups]
        order = groups[np.argsort(-np.array(sizes), kind="stable")]
        number = min(MAX_FOLDS, len(groups))
        for k in range(number):
            yield counts & np.isin(data.groups, order[k::number])[:, None]
        return
    if len(data.x) > 1:
        for part in np.array_split(np.arange(len(data.x)), min(MAX_FOLDS, len(data.x))):
            yield counts & np.isin(np.arange(len(data.x)), part)[:, None]
        return
    number = np.arange(data.x.shape[1])
    for start, end in _blocks(data.x[0, :, 1], np.flatnonzero(counts[0])):
        yield counts & ((number >= start) & (number < end))[None]


def _largest(data: Split, chosen: np.ndarray) -> float:
    """Largest size of the loading over some samples."""
    return float(np.abs(data.x[..., 0][chosen]).max(initial=0.0))


def beyond_learnt(data: Split, folds: Sequence[np.ndarray]) -> str:
    """What is said where held-out samples go much farther than those that are learnt; else empty.

    Args:
        data: the test.
        folds: samples that each holds out, (paths, time) bool each.
    """
    ratios = []
    for k, fold in enumerate(folds):
        rest = np.any([other for j, other in enumerate(folds) if j != k], axis=0)
        learnt = _largest(data, rest)
        ratios.append(_largest(data, fold) / learnt if learnt > 0 else 1.0)
    count = sum(ratio > FARTHER for ratio in ratios)
    if not count or len(folds) < 2:
        return ""
    return (
        f"in {count} of {len(folds)} folds the held-out {data.inputs[0].name} goes up to "
        f"{max(ratios):.3g} times as far as the learnt one: errors there are of an extrapolation"
    )


def _blocks(rate: np.ndarray, counted: np.ndarray) -> list[tuple[int, int]]:
    """`BLOCKS` ranges of rows that hold as many counted rows each, cut at turning points."""
    ends = [int(part[0]) for part in np.array_split(counted, BLOCKS)]
    sign = np.sign(rate)
    turns = np.flatnonzero(sign[1:] * sign[:-1] < 0) + 1
    for k in range(1, BLOCKS):
        near = turns[(turns > ends[k - 1]) & (abs(turns - ends[k]) < len(counted) / (3 * BLOCKS))]
        if len(near):
            ends[k] = int(near[np.argmin(abs(near - ends[k]))])
    return list(zip(ends, [*ends[1:], len(rate)], strict=True))


def rate_warning(proposal: Proposal, data: Split) -> str | None:
    """What is said where laws that depend on rate and laws that do not predict about alike.

    Args:
        proposal: laws, compared.
        data: the test.

    Returns:
        A clause; None where the chosen law is clearly better than the best of the other kind, or
        the response relaxes while the loading is held.
    """
    if relaxes(data):
        return None
    chosen = next(each for each in proposal.ranked if each.law is proposal.winner)
    is_free = chosen.law.candidate.is_rate_independent
    others = [
        each
        for each in proposal.ranked
        if each.law.candidate.is_rate_independent != is_free
        and each.held_out <= ALIKE * chosen.held_out
    ]
    if not others:
        return None
    other = others[0]
    kinds = ("does not depend on rate", "depends on rate")
    return (
        f"whether this material depends on rate hardly shows: {chosen.law.candidate.name}, which "
        f"{kinds[not is_free]}, is {100 * chosen.held_out:.2g} % off on held-out data, and "
        f"{other.law.candidate.name}, which {kinds[is_free]}, {100 * other.held_out:.2g} %; add a "
        "test ten times faster or slower"
    )


def relaxes(data: Split) -> bool:
    """Whether the response changes by a tenth of its range or more in a hold of the loading.

    Args:
        data: the test.
    """
    for path in range(len(data.x)):
        counts = slice(None) if data.weight is None else data.weight[path] > 0
        rate, response = data.x[path, counts, 1], data.y[path, counts, 0]
        held = np.abs(rate) <= HELD * np.abs(rate).max(initial=0.0)
        edges = np.flatnonzero(np.diff(np.r_[0, held.astype(int), 0])).reshape(-1, 2)
        for start, end in edges:  # samples at the ends of held steps
            change = abs(float(response[end - 1]) - float(response[max(0, start - 1)]))
            if start > 0 and end - start >= MIN_HOLD and change > RELAXED * np.ptp(response):
                return True
    return False


def _validate(
    candidate: Candidate,
    data: Split,
    folds: Sequence[np.ndarray],
    search: Search,
    has_past: bool,
    fitted: Sequence[FittedLaw],
) -> RankedLaw:
    """Fit a law to the whole test, and once more without each fold; `fitted`: laws before it."""
    model = candidate_preset(candidate, data).build(data.x, data.y, data.weight)
    response = Response(model, data.x, data.weight, data.inputs[0].unit)
    if candidate.law not in LINEAR_LAWS:
        search = replace(search, contained=best_contained(response, data.y, fitted))
    return validate_response(candidate, response, data, folds, search, has_past)


def validate_response(
    candidate: Candidate,
    response: Response,
    data: Split,
    folds: Sequence[np.ndarray],
    search: Search,
    has_past: bool = False,
) -> RankedLaw:
    """As for one candidate of `propose`, through a response that was compiled before.

    Args:
        candidate: the law.
        response: of its model to the loading of the test.
        data: the test.
        folds: samples that each fold holds out, (paths, time) bool each.
        search: of the fit to the whole test.
        has_past: see `propose`.
    """
    model, stress = response.model, np.asarray(data.y[..., 0], np.float64)
    if candidate.law in LINEAR_LAWS:
        linear = LinearFolds(response, data, folds, rows_of_past(data) if has_past else 0)
        fit = linear.fit()
        result, start = linear.describe(fit, data, search), linear.start(fit)
        predict_fold = linear.predict_fold
    else:
        start = None
        result, predict_fold = _fit_searched(response, data, folds, search)
    squares, sizes = [], []
    for k, held_out in enumerate(folds):
        size = float(np.sum(stress[held_out] ** 2))
        try:
            error = predict_fold(k)[held_out] - stress[held_out]
            square = float(error @ error)
        except (ValueError, np.linalg.LinAlgError):  # not finite, or too few samples
            square = np.inf
        squares.append(square)
        sizes.append(size)
    counted = response.counts
    whole = float(np.sqrt(np.mean(stress[counted] ** 2)))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_fold = np.sqrt(np.divide(squares, sizes))
    law = FittedLaw(candidate, model, result, response, start)
    return RankedLaw(
        law,
        fitted=result.rmse / whole,
        held_out=float(np.sqrt(sum(squares) / sum(sizes))),
        folds=tuple(by_fold.tolist()),
        open_share=share_of_open(law),
    )


def _fit_searched(
    response: Response, data: Split, folds: Sequence[np.ndarray], search: Search
) -> tuple[Identification, Callable[[int], np.ndarray]]:
    """A fit by search; and the response, (paths, time), of one without fold k, from there."""
    first = response.start()
    result = fit_response(response, data.y, unit=data.targets[0].unit, search=search)

    def predict_fold(k: int) -> np.ndarray:
        part = response.counting(response.counts & ~folds[k])
        start, ridge = result.found.weights, search.ridge
        weights = refit(part, data.y, start, first, ridge, tolerance=FOLD_TOLERANCE)
        return response.history(weights)[..., 0]

    return result, predict_fold
