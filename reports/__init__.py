"""The report: recorded runs as one HTML file."""
