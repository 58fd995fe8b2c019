"""Metrics as table rows, manifest entries and figures."""

from zoo.metrics.bootstrap import Interval
from zoo.report import Report
from zoo.report.metrics import add_learning_curves, file_table, interval_table, manifest_metric
from zoo.training import History

ACCURACY = Interval(0.8, 0.7, 0.9)


def test_a_table_of_intervals_has_baselines_where_they_are_named():
    rows = [("accuracy", ACCURACY, 0.5), ("accuracy, fold 1", 0.75, None)]
    table = interval_table(rows, "Test clips.", baseline="linear baseline")
    assert [column.name for column in table.columns][-1] == "linear baseline"
    assert table.rows == (
        ("accuracy", 0.8, 0.7, 0.9, 0.5),
        ("accuracy, fold 1", 0.75, None, None, None),
    )
    assert table.caption.startswith("Test clips. Low and high: 95 % confidence interval")
    assert interval_table(rows, "").rows[0] == ("accuracy", 0.8, 0.7, 0.9)


def test_a_table_of_files_ends_in_size_and_time():
    table = file_table(("AUC", "agreement"), [["int8", 0.9, 1.0, 12.0, 3.5]], "Files.")
    assert [column.name for column in table.columns][1:3] == ["AUC", "agreement"]
    assert "a clip, one thread [ms]" in table.text()


def test_an_entry_names_its_baseline_only_where_there_is_one():
    assert manifest_metric(ACCURACY) == {"value": 0.8, "low": 0.7, "high": 0.9}
    assert manifest_metric(ACCURACY, 0.5, "linear") == {
        "value": 0.8,
        "low": 0.7,
        "high": 0.9,
        "baseline": 0.5,
        "baseline_name": "linear",
    }
    assert manifest_metric(ACCURACY, None, "linear") == manifest_metric(ACCURACY)


def test_each_run_has_its_learning_curve():
    history = History(loss=[2.0, 1.0], val_loss=[2.0, 1.5], learning_rate=[1e-3], seconds=[1.0])
    report = Report("Title")
    add_learning_curves(report, {f"learning_{k}": (f"fold {k}", history) for k in (1, 2)})
    html = report.html()
    assert "Training" in html and "Loss over epochs, fold 2; training ended: complete" in html
    assert all(f'id="learning_{k}"' in html for k in (1, 2))
