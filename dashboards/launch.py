"""Starts the dashboard: one Streamlit server, on this machine only unless told otherwise."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
import webbrowser
from pathlib import Path
from typing import NoReturn

from gradviz.dashboards import hosts
from gradviz.errors import GradvizError

ADDRESS = hosts.LOOPBACK
USUAL_PORT = 8501


def launch(folder: str | Path, port: int | None = None, open_browser: bool = True, host: str = ADDRESS) -> None:
    """Serve the runs in `folder` until Ctrl-C. Without `port`, the usual one or, if that is taken, any free one.

    host: the address of this machine to listen at. With another than a loopback one, readers elsewhere can come, and a warning is printed.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise GradvizError(f"{folder} is a file; give the folder that holds the runs.")
    host = hosts.checked(host)
    port = _port(port, host)
    usual = signal.signal(signal.SIGTERM, _leave)  # which would end this process at once and leave the server behind
    server = start(folder, port, host)
    try:
        wait_until_up(server, port, host=host)
        print(f"gradviz shows the runs in {folder} at {hosts.url(host, port)} (Ctrl-C stops it)", flush=True)
        if hosts.is_open(host):
            print(warning(folder, host, port), file=sys.stderr, flush=True)
        if open_browser:
            webbrowser.open(hosts.url(host, port))
        server.wait()
    except KeyboardInterrupt:
        print("\nstopped")
    finally:
        server.terminate()
        server.wait()
        signal.signal(signal.SIGTERM, usual)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def warning(folder: Path, host: str, port: int) -> str:
    """What it means to let others in."""
    there = " or ".join(hosts.urls_from_elsewhere(host, port))
    return (
        f"Warning: with --host {host} the dashboard is open to other machines{f' (there: {there})' if there else ''}. Anyone who can reach "
        f"this machine can read the runs in {folder} and start trainings on it. There is no password, and nothing is encrypted. "
        "Leave --host out to keep it to this machine."
    )


def start(folder: Path, port: int, host: str = ADDRESS) -> subprocess.Popen[bytes]:
    """The server's process. Flags that matter for privacy are given here as well as in .streamlit/config.toml."""
    app = Path(__file__).with_name("app.py")
    privacy = ["--browser.gatherUsageStats=false", "--server.enableCORS=true", "--server.enableXsrfProtection=true"]
    flags = [f"--server.port={port}", f"--server.address={host}", "--server.headless=true", *privacy]
    quiet = ["--logger.hideWelcomeMessage=true", "--logger.level=warning"]
    command = [sys.executable, "-m", "gradviz.dashboards.serve", "run", str(app), *flags, *quiet]
    told = {"GRADVIZ_RUNS": str(folder.resolve()), "STREAMLIT_SERVER_ALLOWED_HOSTS": " ".join(hosts.answered(host))}
    return subprocess.Popen(command, env={**os.environ, **told}, stdin=subprocess.DEVNULL)


def free_port(host: str = ADDRESS) -> int:
    return hosts.bind(host, 0)


def _port(wanted: int | None, host: str) -> int:
    if wanted is not None and not 1 <= wanted <= 65535:
        raise GradvizError(f"the port is {wanted}; it must be between 1 and 65535.")
    try:
        return hosts.bind(host, wanted or USUAL_PORT)
    except OSError:
        if wanted is not None:
            raise GradvizError(f"port {wanted} is in use or not allowed; choose another one, or none to let gradviz choose.") from None
        return free_port(host)


def wait_until_up(server: subprocess.Popen[bytes], port: int, seconds: float = 120.0, host: str = ADDRESS) -> None:
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # this machine is not reached through a proxy
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise GradvizError(f"the dashboard's server ended at once with status {server.returncode}; its message stands above.")
        try:
            with ask(f"{hosts.url(host, port)}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise GradvizError(f"the dashboard's server did not answer on port {port} within {seconds:g} seconds.")
