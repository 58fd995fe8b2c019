"""Figures of lines as charts: their data, and what a browser makes of them."""

import json
import re

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from zoo.plots import learning_curves
from zoo.plots.loops import Loop, loops
from zoo.plots.multiclass import confusion_matrix
from zoo.report import Column, Report, Table
from zoo.report.charts import MAX_POINTS, chart_data, plain

HISTORY = {
    "loss": [1.0, 0.5, 0.25, 0.125],
    "val_loss": [1.1, 0.6, 0.4, 0.5],
    "learning_rate": [1e-2, 1e-2, 1e-3, 1e-3],
}


def _loop(shift):
    t = np.linspace(0, 12, 5000)
    return Loop(np.sin(t), np.sin(t - shift), np.sin(t - 1.1 * shift))


def test_lines_keep_their_numbers_and_names():
    chart = chart_data(learning_curves(HISTORY))
    assert chart is not None
    top, rate = chart["panels"]
    lines = {line["name"]: line for line in top["lines"]}
    assert lines["training"]["y"] == HISTORY["loss"]
    assert lines["validation"]["x"] == [1, 2, 3, 4]
    assert top["y"]["log"] and not rate["y"]["log"]
    assert rate["lines"][0]["y"] == HISTORY["learning_rate"]
    assert top["note"] == "best: 0.4 after epoch 3"


def test_loops_are_named_by_the_key_and_thinned():
    chart = chart_data(loops({name: _loop(0.3) for name in ("walk", "hold")}))
    assert chart is not None and chart["columns"] == 2
    for panel in chart["panels"]:
        assert [line["name"] for line in panel["lines"]] == ["exact", "predicted"]
        assert all(len(line["x"]) == MAX_POINTS for line in panel["lines"])
        assert panel["lines"][0]["x"][-1] == pytest.approx(np.sin(12), rel=1e-4)


def test_other_figures_stay_pictures():
    assert chart_data(confusion_matrix(np.eye(3, dtype=int), list("abc"))) is None
    assert chart_data(object()) is None
    axes = Figure().add_subplot()
    axes.plot([1, 2], [1, np.nan])
    axes.set_xticks([1, 2], ["lstm", "gru"])
    assert chart_data(axes.figure) is None  # names instead of numbers
    axes = Figure().add_subplot()
    axes.axhline(0.25, color="red")
    axes.plot([1, 2], [1, np.nan])
    chart = chart_data(axes.figure)
    assert chart is not None
    level, line = chart["panels"][0]["lines"]
    assert level["y"] == [0.25, 0.25] and level["color"] == matplotlib.colors.to_hex("red")
    assert line["y"] == [1, None]
    json.dumps(chart, allow_nan=False)


def test_markup_of_matplotlib_becomes_text():
    assert plain(r"$10^{-3}$ $\lambda^2$") == "10⁻³ lambda²"


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    rows = [("lstm", 0.012, 12_000), ("gru", 0.2, 900), ("rnn", None, 80_000)]
    report = Report("Title", "Summary.")
    columns = ("model", Column("error", number=".1%"), Column("parameters", number=",d"))
    report.section("Numbers").table(Table(columns, rows, "Errors."))
    for name, figure in (
        ("curves", learning_curves(HISTORY)),
        ("loops", loops({"walk": _loop(0.3)})),
        ("matrix", confusion_matrix(np.eye(3, dtype=int), list("abc"))),
    ):
        report.figure(figure, name=name, caption="Caption.", alt=f"The {name}")
    file = tmp_path_factory.mktemp("report") / "report.html"
    report.write(file)
    assert file.stat().st_size < 1_000_000
    assert not re.search(r"<script[^>]* src", file.read_text())
    page = browser.open(file.as_uri(), 390, 844)
    yield page
    assert page.errors == []  # a policy that forbids the script would be one
    assert all(each.startswith((file.as_uri(), "data:")) for each in page.requests)


def test_tables_sort(page):
    order = "[...document.querySelectorAll('tbody th')].map((each) => each.textContent).join()"
    click = "document.querySelectorAll('.sort')[{}].click()".format
    for column, expected in ((1, "lstm,gru,rnn"), (1, "gru,lstm,rnn"), (2, "gru,lstm,rnn")):
        page.evaluate(click(column))
        assert page.evaluate(order) == expected
    assert page.evaluate("document.querySelector('[aria-sort]').textContent") == "parameters"


def test_charts_name_points_hide_lines_and_zoom(page):
    assert page.evaluate("document.querySelectorAll('.uplot').length") == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    key = (
        "document.querySelector('.uplot').dispatchEvent("
        "new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))"
    )
    tip = "document.querySelector('.tip:not([hidden])').textContent"
    page.evaluate(key)
    first = page.evaluate(tip)
    page.evaluate(key)
    assert page.evaluate(tip) != first and ", " in first
    picture = "document.querySelector('#curves canvas').toDataURL()"
    before = page.evaluate(picture)
    left, top, width, height = page.evaluate(
        "(() => { const over = document.querySelector('.u-over'); over.scrollIntoView();"
        "const box = over.getBoundingClientRect();"
        "return [box.left, box.top, box.width, box.height]; })()"
    )
    for kind, share in (("Moved", 0.3), ("Pressed", 0.3), ("Moved", 0.7), ("Released", 0.7)):
        page.mouse(f"mouse{kind}", left + share * width, top + share * height)
    page.wait(f"{picture} !== {before!r}")
    page.evaluate("document.querySelector('#curves .bar button:nth-last-child(2)').click()")
    page.wait(f"{picture} === {before!r}")
    legend = "[...document.querySelectorAll('#loops .legend')]"
    assert page.evaluate(f"{legend}.map((each) => each.textContent).join()") == "exact,predicted"
    page.evaluate(f"{legend}[0].click()")
    assert page.evaluate(f"{legend}[0].getAttribute('aria-pressed')") == "false"
    page.evaluate("[...document.querySelectorAll('#loops .bar button')].at(-1).click()")
    shown = "getComputedStyle(document.querySelector('#loops img').parentElement).display"
    assert page.evaluate(shown) == "block"  # the picture


def test_pictures_enlarge(page):
    page.evaluate("document.querySelector('#matrix .enlarge').click()")
    assert page.evaluate("document.querySelector('dialog').open")
    page.evaluate("document.querySelector('dialog button').click()")
    page.wait("!document.querySelector('dialog')")
