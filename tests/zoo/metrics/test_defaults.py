from tests.defaults import check_defaults


def test_defaults_and_constants_are_what_they_were():
    check_defaults("metrics")
