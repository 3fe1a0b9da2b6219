"""Hooks of MkDocs (mkdocs.yml): what pages of docs/ need to become a book of their own.

Links that lead out of docs/, to a header or an example, get a page below source/ that shows the file. What the
tests read after a block's language (```c hello.c, ```console server) becomes a caption or goes.
"""
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
FENCE = re.compile(r"^(```+)(\w+) ([^\n`]+)$", re.M)
LANGUAGES = {".c": "c", ".h": "c", ".py": "python", ".yaml": "yaml", ".json": "json"}


def origin(src_uri):
    """The path from the root of the source tree of a page."""
    if src_uri.startswith("source/"):
        name = src_uri.removeprefix("source/")
        return name if (ROOT / name).exists() else name.removesuffix(".md")
    return f"docs/{src_uri}"


def page_of(name):
    """The page that shows a file of the source tree."""
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    return f"source/{name}" if name.endswith(".md") else f"source/{name}.md"


def linked(name, text):
    """(link, path from the root) of the files that a page links to."""
    for match in LINK.finditer(text):
        target = match[2]
        if not re.match(r"[a-z]+:|/", target):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if (ROOT / path).is_file():
                yield target, path


def content(name):
    text = (ROOT / name).read_text()
    if name.endswith(".md"):
        return text
    language = LANGUAGES.get(Path(name).suffix, "")
    return f"# {name}\n\n~~~~~{language}\n{text}\n~~~~~\n"


def on_files(files, config):
    """Adds a page for each file outside of docs/ that a page links to, directly or over others."""
    known = {origin(file.src_uri) for file in files.documentation_pages()}
    waiting = sorted(known)
    while waiting:
        name = waiting.pop()
        if not name.endswith(".md"):
            continue
        for _, path in linked(name, (ROOT / name).read_text()):
            if path not in known and not path.startswith("docs/"):
                known.add(path)
                waiting.append(path)
                files.append(File.generated(config, page_of(path), content=content(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    name = origin(page.file.src_uri)
    here = posixpath.dirname(page.file.src_uri) or "."
    targets = dict(linked(name, markdown))

    def link(match):
        if match[2] not in targets:
            return match[0]
        target = posixpath.relpath(page_of(targets[match[2]]), here)
        return f"{match[1]}{target}{match[3] or ''}{match[4]}"

    def fence(match):
        caption = "" if match[3] == "server" or match[3].startswith("not run:") else match[3]
        return (f"*{caption}*\n\n" if caption else "") + match[1] + match[2]

    return FENCE.sub(fence, LINK.sub(link, markdown))
