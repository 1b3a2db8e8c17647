"""Where the dashboard can be reached: on this machine only, unless it is told otherwise, and then with a warning."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit import config, net_util
from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed

from gradviz.cli import main
from gradviz.dashboards import hosts, launch, serve
from gradviz.errors import GradvizError


@pytest.mark.parametrize("host", ["", "nonsense", "example.com", "256.0.0.1", "1.2.3", "http://127.0.0.1", "127.0.0.1:8501", "0.0.0.0 "])
def test_a_host_that_is_no_address_is_refused_without_asking_anybody(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: asked.append(words))
    with pytest.raises(GradvizError, match=r"must be an address in numbers: 127\.0\.0\.1 for this machine only, 0\.0\.0\.0 for"):
        launch.launch(tmp_path, open_browser=False, host=host)
    assert asked == []


def test_an_address_of_another_machine_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["dashboard", str(tmp_path), "--no-browser", "--host", "192.0.2.77"]) == 2
    assert "192.0.2.77 is not an address of this machine" in capsys.readouterr().err


@pytest.mark.parametrize(("host", "address"), [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("127.0.0.9", "127.0.0.9")])
def test_loopback_addresses_are_not_open(host: str, address: str) -> None:
    assert hosts.checked(host) == address
    assert not hosts.is_open(address)
    assert hosts.is_open("0.0.0.0")
    assert hosts.is_open("::")


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Streamlit set as for a server on all addresses."""
    usual = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", hosts.answered("0.0.0.0"))
    yield
    config.set_option("server.allowedHosts", usual)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "192.168.1.5", "10.0.0.255", "0.0.0.0", socket.gethostname(), "[::1]"])
def test_an_open_dashboard_answers_to_numbers_and_to_its_own_names(host: str, allowed: None) -> None:
    assert _is_origin_allowed(f"http://{host}:8501", f"{host}:8501")


@pytest.mark.parametrize("host", ["evil.example", "1.evil.example", "5.com", "192.168.1.5.evil.example", "localhost.evil.example"])
def test_nor_does_it_answer_to_a_name_that_somebody_else_may_own(host: str, allowed: None) -> None:
    assert not _is_origin_allowed(f"http://{host}:8501", f"{host}:8501")


def test_a_foreign_page_is_refused_and_nobody_is_asked(allowed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda url, timeout=5: asked.append(url))
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)  # put back afterwards
    serve.stay_inside()
    assert not _is_origin_allowed("http://evil.example", "127.0.0.1:8501")
    assert asked == []


Opened = tuple[int, str, str]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The command with --host 0.0.0.0: its port, what it says and what it warns of."""
    folder = tmp_path_factory.mktemp("runs")
    port = hosts.bind("0.0.0.0", 0)
    words = ["-m", "gradviz", "dashboard", str(folder), "--no-browser", "--host", "0.0.0.0", "--port", str(port)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    proxied = {**os.environ, "http_proxy": "http://192.0.2.77:9"}  # nobody is there, and nobody is to be asked
    with subprocess.Popen([sys.executable, *words], text=True, env=proxied, **pipes) as process:
        said = process.stdout.readline()
        warned = next((line for line in process.stderr if line.startswith("Warning")), "")
        yield port, said, warned
        process.terminate()
        assert process.wait(timeout=20) == 128 + signal.SIGTERM


def test_the_warning_says_what_others_can_do(opened: Opened) -> None:
    port, said, warned = opened
    assert f"at http://127.0.0.1:{port} (Ctrl-C stops it)" in said
    for part in ("--host 0.0.0.0", "open to other machines", "read the runs", "start trainings", "no password", "nothing is encrypted"):
        assert part in warned
    assert all(there in warned for there in hosts.urls_from_elsewhere("0.0.0.0", port))


def shakes_hands(port: int, host: str, origin: str) -> bool:
    """Whether the server lets a page of `origin`, asked for under the name `host`, talk to it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    socket_words = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
    }
    connection.request("GET", "/_stcore/stream", headers={"Host": host, "Origin": origin, **socket_words})
    with connection.getresponse() as answer:
        status = answer.status
    connection.close()
    assert status in (101, 403)
    return status == 101


def test_the_open_server_works_for_what_is_typed_and_for_nobody_else(opened: Opened) -> None:
    port = opened[0]
    for name in ("127.0.0.1", "localhost", socket.gethostname(), "192.168.77.5", *hosts.answered("0.0.0.0")[-1:]):
        assert shakes_hands(port, f"{name}:{port}", f"http://{name}:{port}"), name
    assert not shakes_hands(port, f"evil.example:{port}", f"http://evil.example:{port}"), "a name that was made to lead here"
    assert not shakes_hands(port, f"127.0.0.1:{port}", "http://evil.example"), "a page of another site"


UP = "/".join([".."] * 25)  # from anywhere to the root
STARTS = ("", "static/", "media/", "app/static/", "component/a/", "overview/", "_stcore/", "gates/?runs=")


@pytest.mark.parametrize("dots", ["..", "%2e%2e", "..%2f", "%252e%252e"])
def test_no_address_leads_out_of_the_folder(dots: str, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the secret")
    for start in STARTS:
        connection = http.client.HTTPConnection("127.0.0.1", opened[0], timeout=20)
        connection.request("GET", f"/{start}{UP.replace('..', dots)}{tmp_path}/secret.txt")
        answer = connection.getresponse()
        text = answer.read()
        assert b"the secret" not in text, start
        assert answer.status < 500, start
        connection.close()
