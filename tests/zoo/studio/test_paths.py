"""Loading paths from CSV files."""

import json

import pytest


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("time,stretch\n5,1\n6,1.2\n", {"time": [0, 1], "strain": [0, 0.2]}),
        ("t [s];strain [%]\n0;0\n0,5;10\n", {"time": [0, 0.5], "strain": [0, 0.1]}),
        ("force [N],time [s]\n0,0\n20,1\n", {"time": [0, 1], "strain": [0, 20]}),
        ("0 0\n1 0.5\n2 0\n", {"time": [0, 1, 2], "strain": [0, 0.5, 0]}),
        ("time,strain\n0,0\n0,1\n", "Row 2: expected times that rise."),
        ("time,strain\n0,0\n1,\n", "Row 2: expected numbers for time and strain."),
        ("a,b\n0,0\n", "Expected columns named time and strain (or stretch) in the first row."),
    ],
)
def test_csv_files(page, text, result):
    answer = page.evaluate(f"""(async () => {{
      const {{ readCsv }} = await import("./path.js");
      try {{ return readCsv({json.dumps(text)}).path; }} catch (error) {{ return error.message; }}
    }})()""")
    if isinstance(result, str):
        assert answer == result
    else:
        assert answer["time"] == result["time"]
        assert answer["strain"] == pytest.approx(result["strain"])
