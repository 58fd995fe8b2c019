"""Files that are no table of text: which they are, by their first bytes, and what to do."""

_SAVE = "Save time, strain and stress from it as CSV, titles with units above."
_ARCHIVE = b"PK\x03\x04"
_KINDS = (  # first bytes, what such a file is, what to do
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)", "Save its sheet as CSV."),
    (b"MATLAB 7.3", "a MATLAB file", "In MATLAB: writetable(T, 'test.csv')."),
    (b"MATLAB", "a MATLAB file", "In MATLAB: writetable(T, 'test.csv'); or numpy.savez of it."),
    (b"\x89HDF", "an HDF5 file", _SAVE),
    (b"TDSm", "a LabVIEW file (.tdms)", _SAVE),
    (b"PAR1", "a Parquet file", "In pandas: read_parquet(...).to_csv('test.csv', index=False)."),
    (
        b"\x93NUMPY",
        "a NumPy file (.npy)",
        "Save each column by its name by numpy.savez, as .npz.",
    ),
    (b"\x1f\x8b", "a gzip archive", "Unpack it."),
    (b"BZh", "a bzip2 archive", "Unpack it."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it."),
    (b"%PDF", "a PDF document", _SAVE),
    (b"SQLite format 3", "an SQLite database", _SAVE),
)
_MARKUP = (
    (b"{", "JSON", _SAVE),
    (b"[{", "JSON", "In pandas: read_json(...).to_csv('test.csv', index=False)."),
    (b"[[", "JSON", _SAVE),
    (b"<?xml", "XML", _SAVE),
    (b"<html", "a page in HTML", _SAVE),
    (b"<!doctype", "a page in HTML", _SAVE),
    (b"<table", "a page in HTML", _SAVE),
)
_WORKBOOKS = ((b"xl/", "an Excel workbook", "sheet"), (b"opendocument", "a workbook", "sheet"))


def refuse_other_formats(raw: bytes, name: str) -> None:
    """Refuse a file that is known not to be a table of text.

    Args:
        raw: its content.
        name: of the file, for messages.

    Raises:
        ValueError: one line: what it is and how to save a table from it.
    """
    if raw.startswith(_ARCHIVE):
        for mark, what, part in _WORKBOOKS:
            if mark in raw:
                raise ValueError(_message(name, what, f"Save its {part} as CSV."))
        raise ValueError(_message(name, "a ZIP archive", "Unpack it."))
    for mark, what, cure in _KINDS:
        if raw.startswith(mark):
            raise ValueError(_message(name, what, cure))
    head = raw[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    head = b"[{" if head.startswith(b"[") and head[1:].lstrip().startswith(b"{") else head
    for mark, what, cure in _MARKUP:
        if head.startswith(mark):
            raise ValueError(_message(name, what, cure))


def _message(name: str, what: str, cure: str) -> str:
    return f"{name}: {what}, expected a CSV file with a header line. {cure}"
