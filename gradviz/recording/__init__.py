"""Recording: what is kept of a run, and how it lies on disk."""
