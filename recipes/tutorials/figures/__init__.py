"""Figures of README, and the command that writes two of them."""
