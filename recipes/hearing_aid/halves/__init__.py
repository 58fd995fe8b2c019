"""The decision fitted to one half of the held-out sources, measured on the other."""
