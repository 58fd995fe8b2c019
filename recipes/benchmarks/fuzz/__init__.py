"""Damaged and hostile input for every parser, by chance but with a seed."""
