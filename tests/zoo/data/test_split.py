"""Batches addressed by step, selections, and the shapes that a split insists on."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.data.split import Quantity, Split

PATHS, STEPS = 10, 4
ONE = (Quantity("stress", "MPa", "answer"),)
TWO = (Quantity("strain", "-", "where"), Quantity("dt", "s", "how long"))


def make(weight=True, paths=PATHS) -> Split:
    """Every number of path k begins with k, so that rows of different paths show."""
    number = np.arange(paths, dtype=np.float32)[:, None, None]
    x = number + np.arange(STEPS * 2, dtype=np.float32).reshape(1, STEPS, 2) / 100
    y = number + np.arange(STEPS, dtype=np.float32).reshape(1, STEPS, 1) / 100 + 0.5
    counted = number[..., 0] + np.arange(STEPS, dtype=np.float32) / 100 + 0.25
    groups = np.array([f"specimen {k // 2}" for k in range(paths)])
    return Split("made up", x, y, TWO, ONE, groups, counted if weight else None)


def batches(dataset, count):
    return [
        tuple(part["prediction"] if isinstance(part, dict) else part for part in element)
        for element in dataset.take(count).as_numpy_iterator()
    ]


def rows(batch):
    return batch[0][:, 0, 0].astype(int)


@pytest.mark.parametrize("start", (0, 1, 2, 3, 7, 25))
def test_a_step_is_the_same_batch_whether_or_not_earlier_ones_were_drawn(start):
    data = make()
    whole = batches(data.dataset(4, seed=5), start + 3)[start:]
    resumed = batches(data.dataset(4, seed=5, start_step=start), 3)
    for one, other in zip(whole, resumed, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("batch_size", (1, 3, 4, 10))
def test_each_epoch_visits_each_path_once(batch_size):
    epochs = 6
    drawn = batches(make().dataset(batch_size, seed=0), -(-epochs * PATHS // batch_size))
    assert {len(rows(batch)) for batch in drawn} == {batch_size}, "all batches are full"
    order = np.concatenate([rows(batch) for batch in drawn])[: epochs * PATHS]
    order = order.reshape(epochs, PATHS)
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(PATHS), (epochs, 1)))
    assert len({tuple(epoch) for epoch in order}) == epochs, "in another order every time"


def test_the_seed_decides_the_order():
    first, again, other = (
        np.concatenate([rows(batch) for batch in batches(make().dataset(5, seed=seed), 8)])
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_no_path_is_tied_to_a_place():
    """Over 600 epochs every path stands in every place about 60 times."""
    drawn = batches(make(weight=False).dataset(PATHS, seed=11), 600)
    counts = np.zeros((PATHS, PATHS))
    for batch in drawn:
        counts[np.arange(PATHS), rows(batch)] += 1
    # A binomial count of 600 draws with probability 1/10 has a standard deviation of 7.3.
    assert counts.min() > 25 and counts.max() < 95


@pytest.mark.parametrize("weight", (True, False))
def test_inputs_targets_and_weights_of_a_path_stay_together(weight):
    data = make(weight)
    for source in (data.dataset(4, seed=0), data.all_batches(4)):
        for batch in batches(source, 3):
            assert len(batch) == 2 + weight
            for array, expected in zip(batch, (data.x, data.y, data.weight), strict=False):
                assert array.dtype == np.float32
                np.testing.assert_array_equal(array, expected[rows(batch)])


def test_targets_and_weights_are_named_as_the_models_output():
    x, y, weight = next(iter(make().dataset(4, seed=0)))
    assert x.shape == (4, STEPS, 2) and set(y) == set(weight) == {"prediction"}
    x, y = next(iter(make(weight=False).all_batches(4)))
    assert set(y) == {"prediction"}


def test_all_batches_give_every_path_once_in_order():
    drawn = batches(make().all_batches(4), -1)
    assert [len(rows(batch)) for batch in drawn] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([rows(batch) for batch in drawn]), range(PATHS))


@pytest.mark.parametrize("size", (0, -1, PATHS + 1))
def test_batches_hold_between_one_path_and_all(size):
    with pytest.raises(ValueError, match=rf"between 1 and .* 10\. Received: batch_size={size}"):
        make().dataset(size, seed=0)


def test_select_takes_paths_with_all_that_is_theirs():
    data = make()
    some = data.select([7, 2, 2], name="some")
    assert some.name == "some" and data.select([0]).name == "made up"
    for field in ("x", "y", "groups", "weight"):
        np.testing.assert_array_equal(getattr(some, field), getattr(data, field)[[7, 2, 2]])
    assert some.inputs == data.inputs and some.targets == data.targets
    assert make(weight=False).select([1]).weight is None


def test_select_takes_none_as_well():
    assert make().select([]).x.shape == (0, STEPS, 2)


@pytest.mark.parametrize(
    ("field", "wrong"),
    (
        ("x", np.zeros((PATHS, STEPS, 3), np.float32)),
        ("x", np.zeros((PATHS, STEPS), np.float32)),
        ("x", np.zeros(PATHS, np.float32)),
        ("y", np.zeros((PATHS, STEPS), np.float32)),
        ("y", np.zeros((PATHS, STEPS + 1, 1), np.float32)),
        ("y", np.zeros((PATHS - 1, STEPS, 1), np.float32)),
        ("groups", np.arange(PATHS + 1)),
        ("weight", np.ones((PATHS, STEPS, 1), np.float32)),
        ("weight", np.ones(PATHS, np.float32)),
    ),
)
def test_another_shape_is_refused(field, wrong):
    with pytest.raises(ValueError, match=f"`{field}` of split 'made up' must have shape") as caught:
        replace(make(), **{field: wrong})
    assert f"Received: {wrong.shape}" in str(caught.value)


@pytest.mark.parametrize("field", ("x", "y", "weight"))
@pytest.mark.parametrize("value", (np.nan, np.inf, -np.inf))
def test_numbers_that_are_none_are_refused(field, value):
    array = getattr(make(), field).copy()
    array.flat[3] = value
    with pytest.raises(ValueError, match=f"`{field}` of split 'made up' must be finite"):
        replace(make(), **{field: array})


def test_a_split_cannot_be_changed():
    with pytest.raises(AttributeError):
        make().name = "other"


def test_a_mask_selects_the_paths_that_it_marks():
    x = np.arange(12.0, dtype=np.float32).reshape(4, 3, 1)
    groups = np.array(list("abcd"))
    target = Quantity("stress", "MPa", "")
    data = Split("t", x, x, (Quantity("strain", "-", ""),), (target,), groups)
    mask = np.array([False, False, True, True])
    assert list(data.select(mask).groups) == ["c", "d"]
    assert list(data.select([3, 0]).groups) == ["d", "a"]
