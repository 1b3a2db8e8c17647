"""Starts the dashboard: one Streamlit server on this machine only."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from pathlib import Path
from typing import NoReturn

from gradviz.errors import GradvizError

ADDRESS = "127.0.0.1"
USUAL_PORT = 8501


def launch(folder: str | Path, port: int | None = None, open_browser: bool = True) -> None:
    """Serve the runs in `folder` until Ctrl-C. Without `port`, the usual one or, if that is taken, any free one."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise GradvizError(f"{folder} is a file; give the folder that holds the runs.")
    port = _port(port)
    usual = signal.signal(signal.SIGTERM, _leave)  # which would end this process at once and leave the server behind
    server = start(folder, port)
    try:
        wait_until_up(server, port)
        print(f"gradviz shows the runs in {folder} at http://{ADDRESS}:{port} (Ctrl-C stops it)", flush=True)
        if open_browser:
            webbrowser.open(f"http://{ADDRESS}:{port}")
        server.wait()
    except KeyboardInterrupt:
        print("\nstopped")
    finally:
        server.terminate()
        server.wait()
        signal.signal(signal.SIGTERM, usual)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """The server's process. Flags that matter for privacy are given here as well as in .streamlit/config.toml."""
    app = Path(__file__).with_name("app.py")
    flags = [f"--server.port={port}", f"--server.address={ADDRESS}", "--server.headless=true", "--browser.gatherUsageStats=false"]
    command = [sys.executable, "-m", "streamlit", "run", str(app), *flags, "--logger.hideWelcomeMessage=true"]
    return subprocess.Popen(command, env={**os.environ, "GRADVIZ_RUNS": str(folder.resolve())}, stdin=subprocess.DEVNULL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _port(wanted: int | None) -> int:
    if wanted is not None and not 1 <= wanted <= 65535:
        raise GradvizError(f"the port is {wanted}; it must be between 1 and 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, wanted or USUAL_PORT))
        except OSError:
            if wanted is not None:
                raise GradvizError(f"port {wanted} is in use or not allowed; choose another one, or none to let gradviz choose.") from None
            return free_port()
    return wanted or USUAL_PORT


def wait_until_up(server: subprocess.Popen[bytes], port: int, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise GradvizError(f"the dashboard's server ended at once with status {server.returncode}; its message stands above.")
        try:
            with urllib.request.urlopen(f"http://{ADDRESS}:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise GradvizError(f"the dashboard's server did not answer on port {port} within {seconds:g} seconds.")
