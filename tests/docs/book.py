"""Builds the book with MkDocs, and checks every link of what comes out; nothing leaves the machine."""
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "deps" / "docs"


class Links(HTMLParser):
    """ids: the places of a page; found: (line, tag, address) of what it refers to."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.found = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.ids.add(value)
            elif name in ("href", "src") and value is not None:
                self.found.append((self.getpos()[0], tag, value))


def problem(site, pages, path, tag, address):
    """Why a reference of the page at path is bad, or None."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        if tag != "a":
            return "is loaded from another machine"
        return None if parts.hostname and "." in parts.hostname else "is no address"
    if parts.scheme or parts.netloc:
        return None if parts.scheme == "data" else "is of a kind that no page needs"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if site not in target.parents or not target.is_file():
        return "leads nowhere"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return "leads to no place on that page"
    return None


def check(site):
    """(pages whose links are all good, failures)."""
    site = site.resolve()
    pages = {path: Links(path.read_text()) for path in sorted(site.rglob("*.html"))
             if path.name != "404.html"}  # whose addresses are those of a server
    good, failures = 0, [] if pages else ["the book has no pages"]
    for path, page in pages.items():
        found = [(line, address, problem(site, pages, path, tag, address))
                 for line, tag, address in page.found]
        bad = [f"{path.relative_to(site)}:{line}: {address} {what}" for line, address, what in found if what]
        good += not bad
        failures += bad
    return good, failures


def build(site):
    """Builds the book in the folder site: (good pages, failures)."""
    if not TOOLS.is_dir():
        return 0, [f"MkDocs is not in {TOOLS}: run deps/fetch --docs"]
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--clean",
                           "--config-file", ROOT / "mkdocs.yml", "--site-dir", site],
                          env={**os.environ, "PYTHONPATH": str(TOOLS), "PYTHONDONTWRITEBYTECODE": "1"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        return 0, [f"mkdocs build --strict: {done.stdout.strip()}"]
    return check(site)
