"""Texts: no paragraph twice, downloads that are checked, errors with remedies."""

import hashlib
import http.server
import threading

import pytest

from helpers import texts


def test_python_docs_repeat_no_paragraph():
    docs = texts.python_docs()
    paragraphs = [" ".join(p.split()) for p in docs.split("\n\n")]
    assert len(set(paragraphs)) == len(paragraphs)
    assert len(docs) > 200_000
    assert "\r" not in docs


def test_python_source_is_code():
    source = texts.python_source(50_000)
    assert len(source) == 50_000
    assert "import " in source
    assert source == texts.python_source(60_000)[:50_000]


def test_load_text_reads_a_file(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "Grüße\r\nzwei\rdrei\n".encode() * 100)
    assert texts.load_text(str(path)) == "Grüße\nzwei\ndrei\n" * 100


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (None, FileNotFoundError, "does not exist .* Give the path of a text file"),
        (b"", ValueError, "has 0 characters; at least 1000 are needed"),
        (b"short", ValueError, "has 5 characters; at least 1000 are needed"),
        (b"PK\0\0" * 500, ValueError, "is not text: it holds zero bytes"),
        ("Grüße".encode("latin-1") * 500, ValueError, "is not UTF-8: byte 2 is 0xfc. Save it as"),
    ],
)
def test_load_text_says_what_is_wrong(tmp_path, content, error, words):
    path = tmp_path / "notes.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=words):
        texts.load_text(str(path))


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(FileNotFoundError, match="is a folder"):
        texts.load_text(str(tmp_path))


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Serve one text over HTTP from this machine, with an empty cache; yield its address."""
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
    served = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            served.append(self.path)
            self.send_response(200 if self.path == "/text" else 404)
            self.end_headers()
            self.wfile.write(b"one line of text\n" * 100)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", served
    server.shutdown()
    server.server_close()


def test_a_download_is_kept(address):
    root, served = address
    first = texts.load_text(f"{root}/text")
    assert first == texts.load_text(f"{root}/text") == "one line of text\n" * 100
    assert served == ["/text"]


def test_a_known_hash_is_checked(address):
    root, _ = address
    right = hashlib.sha256(b"one line of text\n" * 100).hexdigest()
    assert texts.load_text(f"{root}/text", known_hash=f"sha256:{right}")
    with pytest.raises(ValueError, match="SHA256 hash"):
        texts.load_text(f"{root}/text", known_hash="sha256:" + "0" * 64)


def test_an_address_that_cannot_be_reached_leaves_nothing_behind(address, tmp_path):
    root, _ = address
    for nowhere in (f"{root}/nothing here", "http://127.0.0.1:9/closed"):
        with pytest.raises(ConnectionError, match=r"cannot be reached .* download it by hand"):
            texts.load_text(nowhere)
    cache = tmp_path / "cache"
    assert not cache.exists() or not list(cache.iterdir())
