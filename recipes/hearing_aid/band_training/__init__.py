"""The causal network on scenes mixed in the bands of the front end, trained for a fixed time."""
