"""A class opens the dashboard at once: a dozen sessions on one real server, each with a page of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash

from gradviz.dashboards import launch
from gradviz.dashboards.views import VIEWS, ordered
from tests.synthetic import Variant, make_run

client = pytest.importorskip("websockets.sync.client", reason="Streamlit came without websockets")

SESSIONS = 12
MOST = 12.0  # MB of memory that one more session may take


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Port and process id."""
    folder = tmp_path_factory.mktemp("runs")
    for name, family, clipped in (("rnn", "rnn", False), ("lstm-clip", "lstm", True)):
        make_run(folder / name, family, clipped, steps=12, variant=Variant(time=24))
    port = launch.free_port()
    process = launch.start(folder, port)
    try:
        launch.wait_until_up(process, port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def memory(pid: int) -> float:
    """MB that the process has in memory."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def draw(socket: Any, view: str) -> list[str]:
    """Asks for a page as a browser does and takes what is sent until it is whole. Its titles; an exception in it is an error here."""
    asked = BackMsg()
    asked.rerun_script.page_script_hash = calc_hash("" if view == next(iter(ordered())) else view)
    socket.send(asked.SerializeToString())
    titles: list[str] = []
    while True:
        said = ForwardMsg.FromString(socket.recv(timeout=120))
        element = said.delta.new_element
        assert element.WhichOneof("type") != "exception", element.exception.message
        if element.heading.tag == "h1":
            titles.append(element.heading.body)
        if said.WhichOneof("type") == "script_finished":
            return titles


def test_a_dozen_sessions_at_once_are_all_served_and_take_little_memory(server: tuple[int, int]) -> None:
    port, pid = server
    pages = [[*VIEWS][number % len(VIEWS)] for number in range(SESSIONS)]
    with ExitStack() as stack:
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        sockets = [
            stack.enter_context(client.connect(address, subprotocols=["streamlit"], max_size=None, open_timeout=60, proxy=None))
            for _ in range(SESSIONS)
        ]
        alone = [draw(sockets[0], page) for page in dict.fromkeys(pages)]
        before = memory(pid)
        with ThreadPoolExecutor(SESSIONS) as pool:
            together = list(pool.map(draw, sockets, pages))
        taken = (memory(pid) - before) / (SESSIONS - 1)
    expected = dict(zip(dict.fromkeys(pages), alone, strict=True))
    assert all(expected.values())
    assert [titles[-1:] for titles in together] == [expected[page][-1:] for page in pages], "each session has the page it asked for"
    assert taken < MOST, f"{taken:.1f} MB a session"
    print(f"{taken:.1f} MB a session")
