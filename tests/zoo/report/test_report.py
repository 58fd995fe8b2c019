import base64
import csv
import hashlib
import io
import os
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest

from zoo.plots import learning_curves
from zoo.report import Column, Report, Sound, Table, earlier_rows

VOID = {"meta", "img", "link", "br", "hr", "input"}
HOSTILE = """<script>alert("x")</script><img src='http://x.y/z' onerror="e()">&amp;"""
TABLE = Table(
    ["split", Column("nRMSE", "%", ".2f"), Column("parameters", number=",d")],
    [("walk", 1.234, 4641), ("fine|coarse", np.float32(37.5), np.int64(3)), ("long", None, None)],
    caption="Errors",
)


class Page(HTMLParser):
    """Elements of a page; fails on any that is closed wrongly or left open."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute: {names}"
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def figure():
    return learning_curves({"loss": [1.0, 0.1], "val_loss": [1.0, 0.2]})


def full_report(figure, words="words"):
    report = Report(
        words, words, provenance={words: words, "command": "python -m recipes.hysteresis"}
    )
    report.section(words, f"{words}\n\n{words}").table(Table([words], [[words]], caption=words))
    report.table(TABLE).figure(figure, name="curves", caption=words, alt=words)
    return report.section("Second").text("More.")


def test_page_is_well_formed_and_named(figure):
    page = Page(full_report(figure).html())
    assert page.all("html") == [{"lang": "en"}]
    assert [tag for tag, _ in page.elements if tag in ("title", "h1", "h2")] == [
        "title",
        "h1",
        "h2",
        "h2",
    ]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"] for a in page.all("a")} <= {f"#{name}" for name in ids}


def test_page_loads_nothing_and_runs_nothing(figure):
    text = full_report(figure).html()
    page = Page(text)
    for attributes in page.all("script"):
        assert attributes in ({}, {"type": "application/json"})
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"<{tag} {name}>"
            if name in ("src", "href"):
                assert value.startswith(("data:image/png;base64,", "#"))
    assert "url(" not in text and "@import" not in text and "://" not in text
    (policy,) = (a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in policy
    code = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert policy.endswith(f"script-src 'sha256-{digest}'")
    assert "script-src 'none'" in Report("Words alone").html()


def test_words_stay_words(figure):
    page = Page(full_report(figure, HOSTILE).html())
    tame = Page(full_report(figure).html())
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in tame.elements]
    assert "".join(page.words).count(HOSTILE) == "".join(tame.words).count("words")
    assert page.all("img")[0]["alt"] == HOSTILE


def test_pictures_are_inside_and_beside(figure, tmp_path):
    page_file = tmp_path / "made" / "report.html"
    written = full_report(figure).write(page_file)
    assert written == [page_file.with_name("curves.png"), page_file]
    (image,) = Page(page_file.read_text(encoding="utf-8")).all("img")
    inside = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"), validate=True)
    assert inside == written[0].read_bytes()
    height, width, _ = matplotlib.image.imread(io.BytesIO(inside)).shape
    assert (int(image["width"]), int(image["height"])) == (width // 2, height // 2)
    assert image["alt"]
    assert sorted(os.listdir(page_file.parent)) == ["curves.png", "report.html"]


def test_page_says_when_and_how_it_was_made():
    when = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
    words = Page(Report("T", provenance={"seed": 7}, created=when).html()).words
    assert "2026-11-24 01:02:03+00:00" in words and "seed" in words and "7" in words


def test_a_broken_write_keeps_the_old_page(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    Report("old").write(path)
    old = path.read_bytes()

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        Report("new").write(path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["report.html"]


def test_written_page_is_readable_by_others(tmp_path):
    path = tmp_path / "report.html"
    umask = os.umask(0o022)
    try:
        Report("T").write(path)
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["../escape", "Loops", "", "curves", "a b"])
def test_figure_names_are_new_file_names(figure, name):
    report = full_report(figure)
    with pytest.raises(ValueError, match="`name`"):
        report.figure(figure, name=name, caption="c", alt="a")


def test_table_cells_have_headings():
    page = Page(TABLE.html())
    assert [a["scope"] for a in page.all("th")] == ["col"] * 3 + ["row"] * 3
    assert page.all("td") == [{"class": "number"}] * 6
    words = [word for word in page.words if word.strip()]
    assert words[:4] == ["Errors", "split", "nRMSE [%]", "parameters"]
    assert words[4:] == ["walk", "1.23", "4,641", "fine|coarse", "37.50", "3", "long", "–", "–"]


def test_table_in_markdown():
    assert TABLE.markdown() == (
        "| split | nRMSE [%] | parameters |\n"
        "| --- | ---: | ---: |\n"
        "| walk | 1.23 | 4,641 |\n"
        "| fine\\|coarse | 37.50 | 3 |\n"
        "| long | – | – |\n"
    )


def test_table_in_a_terminal():
    assert TABLE.text() == (
        "split        nRMSE [%]  parameters\n"
        "-----------  ---------  ----------\n"
        "walk              1.23       4,641\n"
        "fine|coarse      37.50           3\n"
        "long                 –           –\n"
    )


def test_wide_and_combining_letters_keep_columns_aligned():
    lines = Table(["name", "n"], [("東京", 1), ("e\u0301", 2), ("abcd", 3)]).text().splitlines()
    assert lines[2:] == ["東京  1", "e\u0301     2", "abcd  3"]


def test_table_as_csv_keeps_every_digit():
    rows = list(csv.reader(io.StringIO(TABLE.csv(), newline="")))
    assert rows[0] == ["split", "nRMSE [%]", "parameters"]
    assert rows[1:] == [["walk", "1.234", "4641"], ["fine|coarse", "37.5", "3"], ["long", "", ""]]
    (_, (third,)) = csv.reader(io.StringIO(Table(["x"], [[1 / 3]]).csv(), newline=""))
    assert float(third) == 1 / 3


def test_numbers_that_are_none_are_written_so():
    lines = Table([Column("x", number=",d")], [[float("nan")], [float("-inf")]]).text().split()
    assert lines[2:] == ["nan", "-inf"]


def test_control_characters_reach_no_terminal():
    text = Table(["x"], [["\x1b[2Jgone\nnext"]]).text()
    assert "\x1b" not in text and text.count("\n") == 3


def test_yes_is_not_a_number():
    assert "True" in Table(["ok"], [[True]]).text()


def test_a_row_with_a_missing_value_is_refused():
    with pytest.raises(ValueError, match="Row 2 must have 2 values"):
        Table(["a", "b"], [(1, 2), (1,)])


def test_an_empty_table_has_its_heading():
    assert Table(["a", "b"], []).text() == "a  b\n-  -\n"
    assert Page(Table(["a", "b"], []).html()).all("th")


def test_warnings_stand_below_the_summary_and_sounds_have_players():
    sound = Sound("a <dog>", b"RIFF")
    page = Report("Title", "Summary", notices=["Smoke run & more"]).section("Heard").sounds([sound])
    text = page.html()
    assert text.index("Summary") < text.index("<p>Smoke run &amp; more</p>") < text.index("<nav")
    assert "a &lt;dog&gt;" in text
    assert 'src="data:audio/wav;base64,UklGRg=="' in text
    assert "media-src data:" in text and "<script" not in text and "script-src 'none'" in text
    assert "notices" not in Report("Title").html().partition("<body>")[2]


def test_a_command_renews_some_rows_of_a_table_and_keeps_the_others(tmp_path):
    table = Table([Column("case"), Column("kills", number="d")], [["a b", 12345], ["c", 2]])
    file = tmp_path / "t.md"
    assert earlier_rows(file, 2, ("a b",)) == {}
    file.write_text(f"{table.markdown()}\n\nc | 7\n| c | 8 | 9 |\n")
    assert earlier_rows(file, 2, ("a b", "c")) == {"a b": ["a b", "12345"], "c": ["c", "2"]}
    assert earlier_rows(file, 2, ("c",)) == {"c": ["c", "2"]}
    assert earlier_rows(file, 3, ("c",)) == {"c": ["c", "8", "9"]}
