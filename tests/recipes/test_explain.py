"""The comparison of explanation methods runs from top to bottom and states its measures."""

from recipes.explain.__main__ import main


def test_a_smoke_run_writes_a_table_and_a_page(tmp_path, capsys):
    out = tmp_path / "explain"
    assert main(["--quick", "--methods", "gradient", "deconvolution", "--out", str(out)]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:4]]
    assert rows == ["gradient", "deconvolution"]
    page = (out / "report.html").read_text()
    assert "Smoke run (--quick)" in page
    assert page.count("<figure") == 10  # a clip of each kind by each method
    table = (out / "methods.md").read_text()
    assert "correlation, random weights" in table
    assert "python -m recipes.explain" in table
