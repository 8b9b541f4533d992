#!/usr/bin/env python3
"""Checks the pages of `edgeweave report`: self-contained, hostile names escaped; in headless Chromium, if
there is one: no console errors, every column sorts, every filter filters, nothing wider than a phone.

    tests/report/check.py BUILD_DIR
"""
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "golden", "data")
HOSTILE = ["</script><script>document.title='owned'</script>", "<img src=x onerror=\"document.title='owned'\">",
           "a,\"b\" & 'c' <!-- --> `$(x)` \\u003c", "x" * 300, "日本 → ✓", "]]>&lt;b&gt;"]


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.scripts, self.ids = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attrs = dict(attrs)
        if tag == "script":
            self.scripts.append(attrs)
        for name in ("src", "href", "xlink:href", "data", "action"):
            value = attrs.get(name)
            if value and not value.startswith(("#", "data:")):
                self.links.append((tag, value))
        assert not [name for name in attrs if name.startswith("on")], attrs


def make(program, where, results, name, *more):
    path = os.path.join(where, name)
    done = subprocess.run([program, "report", results, "-o", path, *more], cwd=where,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stdout, done.stderr
    with open(path, encoding="utf-8") as f:
        text = f.read()
    page = Page()
    page.feed(text)
    assert page.links == [], page.links
    assert page.scripts == [{"type": "application/json", "id": "data"}, {}], page.scripts
    assert "img" not in page.tags and "iframe" not in page.tags and "@import" not in text
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text,
                                re.S).group(1))
    return path, data, page.tags.count("svg")


def browse(browser, where, url, width):
    """The page's own report of its self-check."""
    profile = tempfile.mkdtemp(dir=where)
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--enable-logging=stderr", f"--window-size={width},800", "--virtual-time-budget=3000",
         f"--user-data-dir={profile}", "--dump-dom", url + "#self-check"],
        cwd=where, capture_output=True, text=True, check=False, timeout=120)
    assert "CONSOLE" not in done.stderr, [x for x in done.stderr.split("\n") if "CONSOLE" in x]
    found = re.search(r'<pre id="self">(\{.*?\})</pre>', done.stdout, re.S)
    assert found, (done.stdout[-500:], done.stderr[-500:])
    assert "<title>owned" not in done.stdout
    text = found.group(1)
    for code, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(code, char)
    return json.loads(text)


def check_browser(browser, where, path, data, figures):
    for width in (390, 1200):
        seen = browse(browser, where, "file://" + path, width)
        assert seen["errors"] == [] and seen["rows"] == len(data["rows"]), seen
        assert len(seen["sorted"]) == 2 * len(data["columns"]) and all(seen["sorted"].values()), seen
        assert seen["filtered"] and all(seen["filtered"].values()) and seen["search"], seen
        assert seen["figures"] == figures and seen["page_width"], seen


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    program = os.path.join(os.path.abspath(sys.argv[1]), "bin", "edgeweave")
    browser = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as where:
        os.environ["HOME"] = os.environ["XDG_CACHE_HOME"] = where
        sweep = {"schema": "edgeweave.sweep/1",
                 "scenario": {"graph": os.path.join(DATA, "tiny.json"),
                              "platform": os.path.join(DATA, "tiny.xml"), "engine": "fast"},
                 "axes": [{"key": "strategy", "values": ["local", "offload", "modnn"]},
                          {"key": "link.*.bandwidth_bytes_per_s", "name": "bandwidth_bytes_per_s",
                           "log_range": {"from": 1e5, "to": 1e7, "count": 3}},
                          {"key": "devices", "values": [1, 2, 3]}]}
        with open(os.path.join(where, "s.json"), "w", encoding="utf-8") as f:
            json.dump(sweep, f)
        subprocess.run([program, "sweep", "s.json", "-o", "r.db", "-q", "--jobs", "1"], cwd=where,
                       check=True)
        pages = []
        path, data, figures = make(program, where, "r.db", "r.html")
        assert figures == 8 and len(data["rows"]) == 27, (figures, len(data["rows"]))
        assert data["columns"][:4] == ["point", "strategy", "bandwidth_bytes_per_s", "devices"], data
        assert data["filters"] == ["strategy", "bandwidth_bytes_per_s", "devices", "status"], data
        pages.append((path, data, figures))
        # Names that would be markup, in the title, too.
        subprocess.run([program, "export", "r.db", "-o", "r.csv"], cwd=where, check=True)
        with open(os.path.join(where, "r.csv"), encoding="utf-8", newline="") as f:
            rows = list(csv.DictReader(f))
        for i, row in enumerate(rows):
            row["strategy"] = HOSTILE[i % len(HOSTILE)]
        with open(os.path.join(where, "h.csv"), "w", encoding="utf-8", newline="") as f:
            writer = csv.DictWriter(f, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        path, data, figures = make(program, where, "h.csv", "h.html", "--title", HOSTILE[0])
        assert {r[1] for r in data["rows"]} == set(HOSTILE), data["rows"]
        pages.append((path, data, figures))
        # A directory of compare.
        subprocess.run([program, "compare", "--graph", os.path.join(DATA, "tiny.json"), "--platform",
                        os.path.join(DATA, "tiny.xml"), "--strategy", "local,modnn", "--engine", "fast",
                        "--requests", "5", "--out", "out", "-q"], cwd=where, check=True,
                       stdout=subprocess.DEVNULL)
        make(program, where, "out", "out.html")
        for arguments, code, text in [
                (["r.db"], 2, "--output"), (["s.json", "-o", "x.html"], 3, "s.json"),
                (["missing.db", "-o", "x.html"], 3, "missing.db"),
                (["r.db", "-o", "no/x.html"], 6, "no/x.html"),
                (["r.db", "--where", "0", "-o", "x.html"], 3, "no results")]:
            done = subprocess.run([program, "report", *arguments], cwd=where, capture_output=True,
                                  text=True, check=False)
            assert done.returncode == code and text in done.stderr, (arguments, done)
            assert not os.path.exists(os.path.join(where, "x.html"))
        for page in pages if browser else []:
            check_browser(browser, where, *page)
    print("with" if browser else "without", "a browser")
    return 0


if __name__ == "__main__":
    sys.exit(main())
