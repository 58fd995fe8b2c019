"""The causal network on scenes of recordings, trained for a fixed time on any backend."""
