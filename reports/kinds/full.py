"""Every chart there is, those that are computed from the weights as well."""

from gradviz.reports.kinds._chapters import CLIPPING, EXACT, GATES, ONE_BY_ONE, REACH, READS, WEIGHTS, Chapter, Chapters, unnamed

CHAPTERS = (REACH, EXACT, CLIPPING.only("clip_ledger", "loss", "cliff"), GATES, READS, WEIGHTS)


class Full(Chapters):
    label = "full report"
    purpose = "every chart there is, also those computed anew from the weights; takes longest"
    choices = ONE_BY_ONE

    def chapters(self) -> tuple[Chapter, ...]:
        return (*CHAPTERS, Chapter("more", "More pictures", "Every other chart there is.", unnamed(CHAPTERS)))
