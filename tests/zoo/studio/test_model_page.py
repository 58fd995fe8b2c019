"""One model as a page: it computes what its module computes, and a manifest's text stays text."""

import numpy as np
import pytest

from zoo.solver import javascript_source
from zoo.solver.program import STRAIN, Elementwise, Program, Ref
from zoo.studio import model_page

HOSTILE = '</script><script>globalThis.ran = 1</script>"\n<!-- é \u2028 ${ran = 1}'


def summing_program():
    """s' = s + 2 ε, stress = s'."""
    double = Elementwise("Mul", "v1", ((Ref(STRAIN, 0),), (2.0,)))
    total = Elementwise("AddV2", "v2", ((Ref("v1", 0),), (Ref("old_sum_0", 0),)))
    program = Program("summing", {"sum_0": 1})
    program.sizes |= {STRAIN: 1, "rate": 1, "dt": 1, "old_sum_0": 1, "v1": 1, "v2": 1}
    program.steps = [double, total]
    program.stress, program.next_states = Ref("v2", 0), [Ref("v2", 0)]
    return program


def hostile_manifest(**trained):
    """A manifest whose texts are markup."""
    tensor = {"shape": [None, 1], "unit": "MPa", "meaning": "stress at the end of the step"}
    return {
        "name": HOSTILE,
        "description": HOSTILE,
        "limits": [HOSTILE],
        "licence": HOSTILE,
        "trained_range": {"amplitude": 1.0, "rates": [0.5, 2.0], "dt_s": [0.1, 0.1], **trained},
        "signatures": {"step": {"inputs": {"x": {}}, "outputs": {"prediction": tensor}}},
    }


def test_the_page_computes_and_shows_text_as_text(browser, tmp_path):
    text = model_page(hostile_manifest(), javascript_source(summing_program()))
    assert len(text.encode()) < 60_000
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page = browser.open((tmp_path / "page.html").as_uri())
    page.wait("document.querySelector('[data-ready]')")
    strain, stress, tangent = page.evaluate(
        "[modelPage.path.strain, modelPage.simulation.stress, "
        "modelPage.simulation.states.map((each) => each.tangent)].map((each) => Array.from(each))"
    )
    assert len(strain) == 60 and max(strain) > 0.7
    np.testing.assert_allclose(stress, 2 * np.cumsum(strain), atol=1e-12)
    np.testing.assert_array_equal(tangent, 2.0)
    shown = page.evaluate("document.querySelector('h1').textContent")
    assert shown == HOSTILE
    assert page.evaluate("globalThis.ran") is None
    assert page.errors == []
    assert [each for each in page.requests if not each.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("side", [1, -1])
def test_a_model_of_one_side_is_loaded_to_that_side_alone(browser, tmp_path, side):
    manifest = hostile_manifest(strain=sorted([0.0, 1.0 * side]))
    text = model_page(manifest, javascript_source(summing_program()))
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page = browser.open((tmp_path / "page.html").as_uri())
    page.wait("document.querySelector('[data-ready]')")
    for shape in ("triangle", "hold", "staircase"):
        strain = page.evaluate(f"(modelPage.pad.choose('{shape}'), [...modelPage.path.strain])")
        assert max(side * each for each in strain) > 0.7
        assert min(side * each for each in strain) >= 0
    page.evaluate(f"(modelPage.pad.clear(), modelPage.pad.addKnot({{ x: 1, y: {-side} }}))")
    assert page.evaluate("modelPage.pad.path.strain[1]") == 0
