"""Every room opens in a browser, wide and narrow, without an error and without a request."""

import pytest


@pytest.mark.parametrize("room", ["material", "sound", "teach", "models"])
def test_room_opens(browser, studio, room):
    page = browser.open(f"{studio}#{room}")
    page.wait(f"document.querySelector('[data-room={room}][data-ready]')")
    page.resize(390, 844)
    page.wait("innerWidth === 390")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.errors == []
    assert all(each.startswith((studio, "data:", "blob:")) for each in page.requests)
