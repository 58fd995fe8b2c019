"""The board's readers and measures on made-up tests, whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from recipes.materials import board, measured_model, oscillator, past_model
from recipes.materials.board import merge_boards
from recipes.materials.board_scores import (
    path_errors,
    rest_error,
    unloading_error,
    with_covariates_of,
)
from recipes.materials.measured_sets import (
    Fold,
    MeasuredSet,
    as_split,
    bounded_tangent_floor,
    join,
    loading_scatter,
    switching_frequencies,
    thin,
)
from recipes.materials.settings import BoardSettings, MeasuredSettings


def loops(stresses, strain=None):
    """Paths of one strain, up to 1 and back, and given stresses."""
    strain = np.concatenate([np.linspace(0, 1, 11), np.linspace(1, 0, 11)[1:]])
    x = np.stack([strain, np.diff(strain, prepend=0), np.ones(len(strain))], -1)
    return as_split(
        np.tile(x, (len(stresses), 1, 1)),
        np.array(stresses)[..., None],
        "kPa",
        [str(k) for k in range(len(stresses))],
        None,
    )


def measured_set(data):
    return MeasuredSet("vhb4910", "", "", data, (Fold("a", (0,), (1,)),), ("solid",))


def test_a_history_that_a_law_can_have_has_no_floor_and_another_has_the_least_distance():
    strain = np.concatenate([np.linspace(0, 1, 11), np.linspace(1, 0, 11)[1:]])
    possible = 2.0 * strain
    assert bounded_tangent_floor(loops([possible]), 0, 2.0) < 1e-4

    offset = possible.copy()
    offset[-1] += 0.5  # 0.3 above its neighbour, while the strain falls
    floor = bounded_tangent_floor(loops([offset]), 0, 2.0)
    least = 0.3 / np.sqrt(2)  # shared by both: the tangent must not be negative
    assert floor * np.sqrt(np.sum(offset**2)) == pytest.approx(least, rel=0.02)


def test_results_of_another_past_or_budget_are_other_results(tmp_path):
    settings = BoardSettings(tmp_path, steps=600)
    others = (replace(settings, warm_up=5), replace(settings, steps=100))
    names = [
        [board._result_file(each, "epoxy", law).name for each in (settings, *others)]
        for law in ("solid", "lstm+covariates")
    ]
    assert len(set(names[0])) == 2 and names[0][0] == names[0][2], "a law has no steps"
    assert len(set(names[1])) == 3


def test_what_cannot_be_exported_is_refused_before_any_data_are_read(tmp_path):
    settings = MeasuredSettings("bouc_wen", "solid", tmp_path, out=tmp_path / "run")
    with pytest.raises(ValueError, match=r"expected the law bouc-wen-oscillator.*Received: solid"):
        measured_model.run(settings)
    with pytest.raises(ValueError, match=r"Received: 'solid\+covariates'"):
        measured_model.run(replace(settings, data_set="epoxy", law="solid+covariates"))
    (tmp_path / "run" / "model").mkdir(parents=True)
    (tmp_path / "run" / "model" / "mine.txt").touch()
    with pytest.raises(ValueError, match="model"):
        past_model.run(replace(settings, data_set="mr_damper", law="dynamic-prandtl"))


def test_a_board_is_refused_before_anything_is_fitted(tmp_path, monkeypatch):
    monkeypatch.setattr(board, "read_set", lambda *words: measured_set(loops([np.ones(21)] * 2)))
    settings = BoardSettings(tmp_path, ("vhb4910",), ("solid", "no-such"), out=tmp_path / "out")
    with pytest.raises(ValueError, match=r"the law no-such\. Expected some of solid"):
        board.run(settings)
    assert not (tmp_path / "out" / "board.md").exists()
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file: is a file, expected a folder"):
        board.run(replace(settings, out=tmp_path / "file"))


def test_errors_are_shares_of_each_paths_own_rms():
    truth = np.concatenate([np.linspace(0, 1, 11), np.linspace(1, 0, 11)[1:]])
    data = measured_set(loops([truth, 3 * truth]))
    fitted = np.stack([1.1 * truth, 3 * truth])
    assert path_errors(data, fitted) == pytest.approx([0.1, 0.0], abs=1e-6)
    # A wrong stiffness is taken out by the loading branch; a wrong shape below is not.
    assert unloading_error(data, fitted, 0) == pytest.approx(0.0, abs=1e-6)
    bent = fitted[0].copy()
    bent[11:] *= 1.2
    assert unloading_error(data, bent[None], 0) == pytest.approx(0.2, abs=1e-6)


def test_scatter_compares_loading_branches_at_one_rate():
    truth = np.concatenate([np.linspace(0, 1, 11), np.linspace(1, 0, 11)[1:]])
    lines = list(loading_scatter(loops([truth, 0.9 * truth]), ["s2_rate0.1", "s1_rate0.1"]))
    share = 0.1 * np.sqrt(np.sum(truth[:11] ** 2) / np.sum((0.9 * truth) ** 2))
    assert len(lines) == 1 and f"{100 * share:.1f} %" in lines[0]


def test_thinned_paths_keep_their_strain_and_time():
    truth = np.concatenate([np.linspace(0, 1, 11), np.linspace(1, 0, 11)[1:]])
    few = thin(loops([truth]), 5)
    assert few.x.shape == (1, 5, 3)
    np.testing.assert_allclose(few.x[0, :, 0], [0, 0.5, 1, 0.5, 0], atol=1e-6)
    np.testing.assert_allclose(few.x[0, 1:, 2], 5.0)
    np.testing.assert_allclose(few.x[0, 1:, 1] * 5, np.diff(few.x[0, :, 0]), atol=1e-6)


def test_joined_paths_are_padded_by_holds_that_do_not_count():
    parts = [(np.ones((n, 3)), np.arange(n), np.ones(n)) for n in (3, 5)]
    data = join(parts, ["a", "b"])
    assert data.weight is not None and data.weight.sum(axis=1).tolist() == [3, 5]
    assert (data.x[0, 3:, 1] == 0).all() and (data.x[0, 3:, 2] > 0).all()


def test_a_period_is_interpolated_by_its_fourier_series():
    t = np.arange(64) / 64
    fine = np.arange(512) / 512

    def force(at):
        return np.sin(2 * np.pi * 5 * at) + 0.3 * np.cos(2 * np.pi * 21 * at + 1)

    np.testing.assert_allclose(oscillator.interpolate(force(t), 8), force(fine), atol=1e-12)


def test_a_periodic_path_counts_at_the_given_samples_only(monkeypatch):
    monkeypatch.setattr(oscillator, "WARM_UP", 16)
    force = np.sin(2 * np.pi * np.arange(64) / 64)
    path = oscillator.periodic_path(force, np.arange(64.0), 100.0, factor=4)
    assert path.x.shape == (1, 4 * 80, 3) and path.weight is not None
    at = np.flatnonzero(path.weight[0])
    np.testing.assert_allclose(path.x[0, at, 0], force, atol=1e-6)
    np.testing.assert_allclose(path.y[0, at, 0], np.arange(64))
    # The force between two rows is linear: its rate times dt is its change.
    np.testing.assert_allclose(
        path.x[0, 1:, 1] * path.x[0, 1:, 2], np.diff(path.x[0, :, 0]), atol=1e-5
    )


def test_one_factor_a_run_is_fitted_on_its_first_third():
    truth = np.sin(np.linspace(0, 9, 21))
    data = measured_set(loops([truth]))
    assert rest_error(data, 3 * truth[None], 0) == pytest.approx(0.0, abs=1e-6)
    bent = np.concatenate([truth[:7], 1.2 * truth[7:]])
    assert rest_error(data, bent[None], 0) == pytest.approx(0.2, abs=1e-6)


def test_covariates_of_a_set_become_constant_features():
    made = measured_set(loops([np.ones(21)]))
    data = replace(made, covariates={"moisture": (2.0,), "level": (3.0,)})
    assert with_covariates_of(data, "solid") is data
    wider = with_covariates_of(data, "solid+covariates").data
    assert [each.name for each in wider.inputs[3:]] == ["moisture", "level"]
    np.testing.assert_array_equal(wider.x[0, :, 3:], np.tile([2.0, 3.0], (21, 1)))
    np.testing.assert_array_equal(wider.x[..., :3], data.data.x)


def test_a_board_keeps_the_sections_that_were_not_run_again():
    before = "# Old\n\nintro\n\n## vhb4910\n\na\n\n## steel\n\nb\n"
    merged = merge_boards(before, "# New\n\nmore\n\n## steel\n\nc\n\n## epoxy\n\nd\n")
    # in the order of the settings' data sets
    assert merged == "# New\n\nmore\n\n## vhb4910\n\na\n\n## steel\n\nc\n\n## epoxy\n\nd\n"
    assert merge_boards("", merged) == merged


def test_rows_of_other_laws_are_kept_while_data_and_split_are_the_same():
    head = "# Board\n\n## a\n\nSteel.\nOne fold.\n\n"
    before = (
        f"{head}| law | mean |\n| --- | ---: |\n| x | 3.0 |\n| y | 1.0 |\n\n\n"
        "Not run: z.\n\nMade by\n\n    run x y\n"
    )
    now = (
        f"{head}| law | mean | worst |\n| --- | ---: | ---: |\n| z | 2.0 | 4.0 |\n| y | 2.5 | 5.0 |"
        "\n\n\nNot run: x.\n\nMade by\n\n    run z y\n"
    )
    lines = merge_boards(before, now).split("\n")
    rows = [line for line in lines if line.startswith("| ") and "-" not in line]
    assert rows == [
        "| law | mean | worst |",
        "| z | 2.0 | 4.0 |",
        "| y | 2.5 | 5.0 |",
        "| x | 3.0 | – |",
    ]
    assert [line for line in lines if line.startswith("    ")] == ["    run z y", "    run x y"]
    assert not any(line.startswith("Not run") for line in lines)
    other = merge_boards(before, now.replace("One fold", "Five folds"))
    assert "| x | 3.0" not in other


def test_switching_frequency_is_that_of_the_flux_and_not_of_its_drift():
    time = np.arange(1000) / 16e6
    flux = [
        0.1 * time / time[-1] + 0.02 * triangle(time, kilohertz) for kilohertz in (50, 125, 800)
    ]
    assert switching_frequencies(np.array(flux), 1 / 16e6).tolist() == [50, 125, 800]


def triangle(time, kilohertz):
    return np.abs(2 * np.mod(time * 1e3 * kilohertz, 1.0) - 1)
