"""Recorded runs as pandas frames.

Columns and their meanings are those of `gradviz.recording.schema.TABLES` (`meanings(table)`). Wide frames have one row per row on
disk, lists included; tidy ones have one row per time step (or lag). Rows that another process adds are there at the next call.
"""

from gradviz.frames._files import WRITERS
from gradviz.frames._labels import label_runs
from gradviz.frames._load import load, load_runs
from gradviz.frames._run import FAMILIES, Run
from gradviz.frames._tables import explode, meanings

__all__ = ["FAMILIES", "WRITERS", "Run", "explode", "label_runs", "load", "load_runs", "meanings"]
