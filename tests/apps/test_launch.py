"""Starting and stopping the dashboard."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from gradviz.dashboards import launch
from gradviz.errors import GradvizError


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((launch.ADDRESS, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(GradvizError, match=f"port {port} is in use"):
            launch.launch(tmp_path, port=port, open_browser=False)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_that_cannot_be(tmp_path: Path, port: int) -> None:
    with pytest.raises(GradvizError, match="between 1 and 65535"):
        launch.launch(tmp_path, port=port, open_browser=False)


def test_a_file_is_not_a_folder_of_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GradvizError, match="is a file"):
        launch.launch(tmp_path / "file", open_browser=False)


def test_a_server_that_ends_at_once_is_reported() -> None:
    gone = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(GradvizError, match="status 3"):
        launch.wait_until_up(gone, launch.free_port())


def test_it_says_where_it_is_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    port = launch.free_port()
    code = f"from gradviz.dashboards.launch import launch; launch({str(tmp_path)!r}, port={port}, open_browser=False)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            assert answer.status == 200
        os.killpg(process.pid, signal.SIGINT)  # what a terminal sends: to the command and the server alike
        assert "stopped" in process.stdout.read()
        assert process.wait(timeout=20) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)


def test_ending_the_command_alone_leaves_no_server_behind(tmp_path: Path) -> None:
    port = launch.free_port()
    code = f"from gradviz.dashboards.launch import launch; launch({str(tmp_path)!r}, port={port}, open_browser=False)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=20) == 128 + signal.SIGTERM
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
