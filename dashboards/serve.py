"""The server's process: `python -m gradviz.dashboards.serve run app.py …` takes the words of `streamlit`.

What all pages need is loaded before the first reader comes, not while he waits; and Streamlit is kept from asking the world outside.
"""

import gc
import sys
from contextlib import suppress
from threading import Thread

from streamlit import net_util
from streamlit.web import cli

from gradviz.charts import CHARTS
from gradviz.dashboards import state
from gradviz.dashboards.views import VIEWS
from gradviz.findings import FINDINGS


def _nobody() -> None:
    """This machine's address as the world sees it: not asked for."""


def stay_inside() -> None:
    """Streamlit would ask a server on the internet for this machine's address whenever another site's page knocks at the dashboard,
    only to compare it with that page's. Without an answer the page is refused, as it should be."""
    net_util.get_external_ip = _nobody


def get_ready() -> None:
    """Imports every page, chart and finding, and with them pandas, plotly and Matplotlib. Streamlit looks for garbage after each run of a
    script, also of the one that looks for news every second or two; what is loaded by now is none, and need not be looked through."""
    for registry in (VIEWS, CHARTS, FINDINGS):
        registry.names()
    gc.collect()
    gc.freeze()


def read_ahead() -> None:
    """What the first page says of each run, while the reader's browser still starts. What fails here fails again there, and is told."""
    with suppress(Exception):
        for run in state.shelf().runs:
            state.headline_of(run)


def main() -> None:
    stay_inside()
    get_ready()
    Thread(target=read_ahead, daemon=True).start()
    sys.argv[0] = "streamlit"
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
