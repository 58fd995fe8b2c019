"""Tutorial: from a CSV file of a testing machine to an identified law and an exported network."""
