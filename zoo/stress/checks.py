"""What is checked of measured tests before anything is trained on them."""

import numpy as np

from zoo.data.split import Split

STILL = 1e-3  # of the range of stress, or of strain: what counts as no change
MIN_RUN = 5  # steps of held stress in one go
LOADED = 0.2  # of the RMS of a response, above which a record does not begin at rest
KEPT = 0.3  # change of a rate of strain, over it, below which the strain goes on as before
LIMITED = 0.05  # of the range of strain, which it changes by while the stress stays at a limit
MAX_HELD = 0.5  # share of the moving steps at held stress, above which a test is stress-controlled


def check_response(data: Split, part: str) -> None:
    """Refuse a part in which the stress of a specimen is zero, or that of all is constant.

    The stress of single specimens may be constant, as of one that has relaxed.

    Args:
        data: paths and their weights.
        part: its name, for the message.

    Raises:
        ValueError: one line, naming the specimen.
    """
    responses = [data.y[path, _counted(data, path), 0] for path in range(len(data.y))]
    sizes = [1e-6 * np.abs(data.y[path]).max() for path in range(len(data.y))]
    constant = [
        not np.ptp(stress) > size if len(stress) else True
        for stress, size in zip(responses, sizes, strict=True)
    ]
    for group, stress, is_constant in zip(data.groups, responses, constant, strict=True):
        if is_constant and (all(constant) or not stress.any()):
            of = f" of specimen {str(group)!r}" if str(group) else ""
            size = f"constant, {stress[0]:.3g}" if len(stress) else "missing"
            what = "zero" if len(stress) and not stress.any() else size
            raise ValueError(
                f"The stress{of} in the {part} part is {what}: nothing can be learnt from it or "
                "checked with it. Leave out rows without load, or give another test."
            )


def stress_controlled(data: Split) -> list[str]:
    """Specimens that creep: stress is held, or steps, while strain goes on changing.

    A model of stress from strain takes the measured strain as loading. Where stress was prescribed,
    it can be fitted but hardly checked: it is constant whatever the material does. Plastic flow and
    a clipped channel look alike in stress, but there the strain goes on as before; at the beginning
    of creep its rate falls, by the elastic part at least.

    Args:
        data: paths and their weights.

    Returns:
        Labels.
    """
    creeping_specimens = []
    for path, group in enumerate(data.groups):
        rows = _counted(data, path)
        strain, stress = data.x[path, rows, 0].astype(float), data.y[path, rows, 0].astype(float)
        dt = data.x[path, rows, 2].astype(float)[1:]
        change, rise = np.diff(strain), np.abs(np.diff(stress))
        moving = np.abs(change) > 1e-3 * STILL * np.ptp(strain)
        rate = change / dt
        creeping = np.zeros_like(moving)
        for start, end in _runs(rise <= STILL * np.ptp(stress)):
            creeping[start:end] = moving[start:end] & _falls(rate, start, end)
        if moving.sum() < MIN_RUN or creeping.sum() <= MAX_HELD * moving.sum():
            continue
        if np.unique(np.round(stress[1:][creeping] / np.ptp(stress), 2)).size <= 20:
            creeping_specimens.append(str(group))
    return creeping_specimens


def at_limit(data: Split) -> list[str]:
    """Clauses on specimens whose stress stays at exactly its largest or smallest value.

    A channel at the end of its range does so while the strain goes on; of materials, only one that
    is perfectly plastic and was measured without noise.

    Args:
        data: paths and their weights.

    Returns:
        A clause for each.
    """
    controlled, clauses = stress_controlled(data), []
    for path, group in enumerate(data.groups):
        rows = _counted(data, path)
        strain, stress = data.x[path, rows, 0].astype(float), data.y[path, rows, 0].astype(float)
        for value in {float(stress.max()), float(stress.min())} - {0.0}:
            runs = [
                end - start
                for start, end in _runs(stress == value)
                if np.ptp(strain[start:end]) > LIMITED * np.ptp(strain)
            ]
            if len(runs) >= 2 and str(group) not in controlled:
                of = f" of {group}" if str(group) else ""
                clauses.append(
                    f"the {data.targets[0].name}{of} stays at exactly {value:.4g} "
                    f"{data.targets[0].unit} in {sum(runs)} rows while the {data.inputs[0].name} "
                    "goes on: a channel at the end of its range, or perfect plasticity; measure "
                    "again in a larger range if it is the first"
                )
    return sorted(clauses)


def beginning_loaded(data: Split) -> list[str]:
    """Records of a force or a field whose response does not begin near zero: cut out of a motion.

    A stress is not asked: a strain that is held from the first row on loads the material at once.

    Args:
        data: paths and their weights.

    Returns:
        Labels.
    """
    if data.inputs[0].name == "strain":
        return []
    loaded = []
    for path, group in enumerate(data.groups):
        response = data.y[path, _counted(data, path), 0].astype(float)
        if abs(response[0]) > LOADED * np.sqrt(np.mean(response**2)):
            loaded.append(str(group))
    return loaded


def _counted(data: Split, path: int) -> np.ndarray:
    if data.weight is None:
        return np.ones(data.x.shape[1], bool)
    return data.weight[path] > 0


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First index of each run of `MIN_RUN` flags or more, and the one behind its last."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(int), 0])).reshape(-1, 2)
    return [(int(start), int(end)) for start, end in edges if end - start >= MIN_RUN]


def _falls(rate: np.ndarray, start: int, end: int) -> bool:
    """Whether the rate of strain changes in a run, and is not the rate before it."""
    during = rate[start:end]
    before = rate[max(0, start - 1)]
    goes_on = start > 0 and abs(during[0] - before) < KEPT * abs(before)
    return not goes_on and bool(np.std(during) > STILL * np.abs(during).mean())
