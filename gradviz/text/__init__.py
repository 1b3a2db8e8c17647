"""Text: corpora and their tokens."""
