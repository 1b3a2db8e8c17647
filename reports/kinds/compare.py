"""Any runs side by side, from what was recorded: a picture that has nothing to show keeps its place and says what to record."""

from gradviz.charts import CHARTS
from gradviz.reports.kinds._chapters import CLIPPING, GATES, REACH, READS, WEIGHTS, Chapter, Chapters, unnamed

CHAPTERS = (REACH, CLIPPING.only("loss", "clip_ledger"), GATES, WEIGHTS, READS)


class Compare(Chapters):
    """Charts that are computed anew from the weights take longer; they are left to other kinds."""

    label = "comparison"
    purpose = "any runs side by side, grouped by task, from what was recorded"

    def chapters(self) -> tuple[Chapter, ...]:
        rest = tuple(name for name in unnamed(CHAPTERS) if CHARTS[name].needs and not CHARTS[name].exact)
        return (*CHAPTERS, Chapter("more", "More pictures", "Every other chart of what was recorded.", rest))
