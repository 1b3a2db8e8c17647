"""Runs for other tools, and other tools' logs as runs. What is needed besides gradviz itself is imported when it is asked for."""

from gradviz.exchange.importing import import_csv
from gradviz.exchange.labelled import to_xarray

__all__ = ["import_csv", "to_xarray"]
