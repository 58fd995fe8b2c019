"""A generated UMAT in CalculiX: one element against the Python law, and a notched strip."""
