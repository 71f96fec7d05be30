"""Fuzzing: what takes bytes or texts from outside, and what must hold for any of them."""
