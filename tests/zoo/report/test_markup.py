"""Code and indices of plain text in HTML; names and foreign text stay as they are."""

import pytest

from zoo.report import Column, Report, Table
from zoo.report.markup import to_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("∂s_t = J_T ⋯ J_{t+1}", "∂s<sub>t</sub> = J<sub>T</sub> ⋯ J<sub>t+1</sub>"),
        ("∂(h, C)_T", "∂(h, C)<sub>T</sub>"),
        ("h⁽¹⁾_{t−1}² + b⁽¹⁾", "h⁽¹⁾<sub>t−1</sub>² + b⁽¹⁾"),
        ("log10 ‖∂s_T/∂s_0‖", "log10 ‖∂s<sub>T</sub>/∂s<sub>0</sub>‖"),
        ("`full` and `h_t`", "<code>full</code> and <code>h_t</code>"),
        ("step_int8.tflite, hidden_0, a_b_c", "step_int8.tflite, hidden_0, a_b_c"),
        ("<b>`<i>`</b>", "&lt;b&gt;<code>&lt;i&gt;</code>&lt;/b&gt;"),
        ("x_{<script>}", "x<sub>&lt;script&gt;</sub>"),
        ("one ` alone", "one ` alone"),
        ("∫ |σ|^{m−1} dt, 2^k", "∫ |σ|<sup>m−1</sup> dt, 2^k"),
    ],
)
def test_indices_and_code(text, html):
    assert to_html(text) == html


def test_a_page_sets_them_in_text_captions_and_headings_of_tables():
    table = Table([Column("∂s_T/∂s_0"), "file"], [[1.0, "a_b"]], "Norms of J_t.")
    page = Report("Title", "A product of J_t.", notices=["`--quick`"])
    text = page.section("Section", "Of `full`.").table(table).html()
    assert "A product of J<sub>t</sub>." in text
    assert "<code>--quick</code>" in text and "Of <code>full</code>." in text
    assert "∂s<sub>T</sub>/∂s<sub>0</sub></th>" in text and "Norms of J<sub>t</sub>." in text
    assert "<td>a_b</td>" in text  # what a cell holds is data
