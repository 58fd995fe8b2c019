"""Tutorial: from a folder of recordings to a TFLite file that classifies them."""
