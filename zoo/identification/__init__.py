"""Identification of material constants from a measured test, by least squares.

`zoo.identification.fit.identify` fits a model of `zoo.presets.material` and gives every constant
with an interval, and warnings on what the test does not determine; its halves `Response` and
`fit_response` serve for many fits to one loading. `zoo.identification.measured.identify_csv` does
so with a user's CSV file, and writes a report page and an exported model.
"""
