"""Files are downloaded once, from this machine only, and believed only with the right checksum."""

import functools
import http.server
import threading

import pytest

from gaugelib import GaugeError
from gaugelib.data import fetch
from tests.data.written import source

NOBODY = "http://127.0.0.1:9/"  # the discard port: nothing listens


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server(tmp_path):
    """A folder, the address at which this machine serves it, and what was asked for."""
    asked, folder = [], tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_address[1]}/", asked
        running.shutdown()


def test_a_file_is_downloaded_once(server, tmp_path):
    folder, address, asked = server
    (folder / "file.gz").write_bytes(b"content")
    wanted = source(b"content", address + "file.gz")
    for _ in range(2):
        assert fetch(wanted, tmp_path / "cache").read_bytes() == b"content"
    assert asked == ["/file.gz"]


def test_the_next_address_is_tried(server, tmp_path):
    folder, address, _ = server
    (folder / "second").write_bytes(b"content")
    wanted = source(b"content", NOBODY + "x", address + "missing", address + "second")
    assert fetch(wanted, tmp_path / "cache").read_bytes() == b"content"


def test_a_download_with_another_checksum_is_refused_and_not_kept(server, tmp_path):
    folder, address, _ = server
    (folder / "file.gz").write_bytes(b"something else")
    with pytest.raises(GaugeError, match=r"'file.gz' could not be downloaded.*hash"):
        fetch(source(b"content", address + "file.gz"), tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_changed_file_in_the_cache_is_refused_by_name(tmp_path):
    (tmp_path / "file.gz").write_bytes(b"something else")
    with pytest.raises(GaugeError, match=r"file.gz' has MD5 \w{32} instead of .* delete it"):
        fetch(source(b"content", NOBODY), tmp_path)


def test_without_a_network_the_message_says_what_to_do(tmp_path):
    with pytest.raises(GaugeError, match="Without a network, put the file at") as refusal:
        fetch(source(b"content", NOBODY + "a", NOBODY + "b"), tmp_path)
    for part in (str(tmp_path / "file.gz"), NOBODY + "a", NOBODY + "b", "ConnectionError"):
        assert part in str(refusal.value)


def test_without_a_network_a_file_in_the_cache_is_enough(tmp_path):
    (tmp_path / "file.gz").write_bytes(b"content")
    assert fetch(source(b"content", NOBODY), tmp_path) == tmp_path / "file.gz"
