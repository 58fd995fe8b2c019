"""A regression of sound in a stream: estimates of every hop, and in the commands."""

import csv

import numpy as np
import pytest
import soundfile

import zoo.edge
from tests import edge_models
from zoo.__main__ import main
from zoo.edge import Condition

HOP, RATE = edge_models.HOP, edge_models.RATE_HZ
TENSOR = {"dtype": "float32", "unit": "-", "meaning": "of a test"}
FEATURES = [
    {"name": name, "unit": unit, "meaning": "of a test"}
    for name, unit in (("low", "dB"), ("middle", "-"), ("high", "dB"))
]
SIGNATURES = {
    "step": {
        "inputs": {
            "waveform": {"shape": [None, HOP], **TENSOR},
            "hidden": {"shape": [None, 1], **TENSOR},
        },
        "outputs": {
            "prediction": {"shape": [None, 3], **TENSOR, "features": FEATURES},
            "hidden_next": {"shape": [None, 1], **TENSOR},
        },
    }
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return edge_models.write_folder(
        tmp_path_factory.mktemp("edge") / "tiny-meter",
        edge_models.sound_model(regression=True),
        signatures=SIGNATURES,
        classes=[],
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A second of a tone, then silence of half a second."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    tone = 0.2 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    soundfile.write(path, np.concatenate([tone, np.zeros(RATE // 2)]), RATE, subtype="FLOAT")
    return path


def test_every_hop_has_the_values_of_the_closed_form(folder):
    estimator = zoo.edge.StreamEstimator(zoo.edge.open(folder))
    assert estimator.names == ("low", "middle", "high")
    assert estimator.units == ("dB", "-", "dB")
    x = 0.2 * np.sin(2 * np.pi * 500 * np.arange(20 * HOP) / RATE)  # no offset to remove
    results = estimator.process(x[: 7 * HOP + 5]) + estimator.process(x[7 * HOP + 5 :])
    hidden, expected = 0.0, []
    for energy in np.mean(np.square(x.reshape(20, HOP)), axis=1):
        hidden += 0.5 * (energy - hidden)
        expected.append(edge_models.SLOPE[:, 0] * hidden + edge_models.OFFSET)
    # the high-pass of 5 Hz takes 0.01 % of a tone of 500 Hz
    np.testing.assert_allclose([r.values for r in results], expected, rtol=0.02)


def test_what_does_not_count_has_no_values(folder):
    estimator = zoo.edge.StreamEstimator(zoo.edge.open(folder))
    results = estimator.process(np.zeros(3 * HOP))
    assert [r.condition for r in results] == [Condition.SILENT] * 3
    assert all(r.values is None for r in results)


def test_predict_writes_a_row_a_hop(folder, recording, tmp_path):
    table, picture = tmp_path / "values.csv", tmp_path / "values.png"
    arguments = ["predict", str(folder), str(recording), "--out", str(table)]
    assert main([*arguments, "--plot", str(picture)]) == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * RATE // 2 // HOP
    assert set(rows[0]) == {"time_s", "condition", "level_dbfs", "low", "middle", "high"}
    assert float(rows[50]["middle"]) == 0.0  # its slope and offset are zero
    assert rows[-1]["condition"] == "silent" and rows[-1]["low"] == ""
    assert picture.stat().st_size > 5000


def test_the_device_prints_a_line_a_second(folder, recording, capsys):
    assert main(["edge", str(folder), str(recording)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "time_s,low [dB],middle [-],high [dB],condition"
    # the nearest ends of hops to 1 s and to the end, at 1.5 s
    assert [line.split(",")[0] for line in lines[1:]] == ["0.992", "1.488"]


def test_a_classifier_is_refused(tmp_path):
    classifier = edge_models.write_folder(tmp_path / "tiny-ear")
    with pytest.raises(ValueError, match="to `prediction`"):
        zoo.edge.StreamEstimator(zoo.edge.open(classifier))
