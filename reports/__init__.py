"""Reports: runs become one HTML file that holds everything it shows."""

from gradviz.reports._report import Report
from gradviz.reports.build import report
from gradviz.reports.kinds import KINDS, Kind
from gradviz.reports.reproduction import reproduced

__all__ = ["KINDS", "Kind", "Report", "report", "reproduced"]
