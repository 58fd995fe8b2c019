"""Cells that obey mechanics: one trained and certified, or all models compared on one board."""
