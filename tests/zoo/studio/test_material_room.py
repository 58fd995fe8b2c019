"""The material room is used by mouse and keyboard, and its numbers are right."""

import json


def wait_for_numbers(page):
    """Until every model shown has its error and its self-consistency."""
    page.wait(
        "[...document.querySelectorAll('tbody tr')].filter((row) => row.querySelector(':checked'))"
        ".every((row) => row.cells[2].textContent.endsWith('%'))"
    )


def numbers(page):
    """Model -> its error and self-consistency in percent, None where there is none."""
    cells = page.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) => [row.querySelector('label'), "
        "row.cells[1], row.cells[2]].map((each) => each.textContent))"
    )

    def value(text):
        return 0.0 if text.startswith("<") else float(text[:-2]) if text.endswith("%") else None

    return {name: (value(error), value(consistency)) for name, error, consistency in cells}


def slide(page, label, position):
    """Move a slider to a share of its range."""
    page.evaluate(f"""(() => {{
      const input = [...document.querySelectorAll('label')].find((each) =>
        each.textContent.startsWith({json.dumps(label)})).querySelector('input');
      input.value = Number(input.min) + {position} * (input.max - input.min);
      input.dispatchEvent(new Event('input', {{ bubbles: true }}));
    }})()""")


def test_small_steps_make_the_lstm_lose_its_way_and_not_the_cell(material_page):
    page = material_page
    wait_for_numbers(page)
    before = numbers(page)
    assert before["hysteresis-lstm"][0] < 3
    slide(page, "Duration", 0)  # 1 s, so that few steps are enough
    slide(page, "Time step", 0.1)  # 1.1 ms
    wait_for_numbers(page)
    after = numbers(page)
    assert after["hysteresis-lstm"][0] > 5 * before["hysteresis-lstm"][0]
    assert after["material-relaxation"][0] < 0.5 and after["material-maxwell"][0] < 0.1
    assert page.errors == []


def test_a_path_is_drawn_by_mouse_and_keyboard(material_page):
    page = material_page
    slide(page, "Time step", 0.6)
    place = page.evaluate(
        "(({ left, top, width, height }) => [left, top, width, height])"
        "(document.querySelector('canvas.drawing').getBoundingClientRect())"
    )
    left, top, width, height = place
    page.mouse("mousePressed", left + 0.3 * width, top + 0.3 * height)
    for k in range(10):
        page.mouse("mouseMoved", left + (0.3 + 0.05 * k) * width, top + (0.3 + 0.02 * k) * height)
    page.mouse("mouseReleased", left + 0.75 * width, top + 0.48 * height)
    text = "document.querySelector('canvas.drawing').getAttribute('aria-label')"
    assert "drawn, 11 knots" in page.evaluate(text)
    page.evaluate("document.querySelector('canvas.drawing').focus()")
    page.key("ArrowUp")
    page.key("ArrowRight")
    assert "drawn, 13 knots" in page.evaluate(text)
    page.key("Backspace")
    assert "drawn, 12 knots" in page.evaluate(text)
    wait_for_numbers(page)
    assert numbers(page)["material-maxwell"][0] < 0.1
    assert page.errors == []
