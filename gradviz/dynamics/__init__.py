"""Exact tools on recorded series and on one model. NumPy only."""
