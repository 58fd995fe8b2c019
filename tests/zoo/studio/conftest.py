"""Pages of the studio, each opened once for all tests of a module."""

import pytest


@pytest.fixture(scope="module")
def page(browser, studio):
    """The model room, in whose page tests call the app's modules."""
    page = browser.open(f"{studio}#models")
    page.wait("document.querySelector('[data-room=models][data-ready]')")
    return page


@pytest.fixture(scope="module")
def material_page(browser, studio):
    """The material room as it opens; what a test changes stays for the next one."""
    page = browser.open(f"{studio}#material")
    page.wait("document.querySelector('[data-room=material][data-ready]')")
    return page
