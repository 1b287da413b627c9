"""The page in a browser, if Chromium is installed."""

import re
import shutil
import subprocess

import pytest
from PIL import Image
from report_folders import run_folder, search_folder

from anynet.app.run_report.run_page import write_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (375, 1100)
TELL = "<script>parent.postMessage(`${document.documentElement.scrollWidth} of ${innerWidth};`, '*')</script>"
LISTEN = "<script>onmessage = event => { document.title += event.data }</script>"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


def browse(page, tmp_path, *flags):
    """Output of Chromium."""
    always = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'browser'}",
    )
    ended = subprocess.run([CHROMIUM, *always, *flags, page.as_uri()], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(params=["run", "runs", "sweep", "search"])
def page(request, tmp_path):
    if request.param == "sweep":
        folders = [request.getfixturevalue("swept").folder]
    elif request.param == "search":
        folders = [search_folder(tmp_path / "search")]
    else:
        folders = [run_folder(tmp_path / name, settings={"data": "x" * 90}) for name in ("a", "b")][
            : 2 - (request.param == "run")
        ]
    write_page(folders, tmp_path / "page.html")
    return tmp_path / "page.html"


def test_no_page_is_wider_than_its_window(page, tmp_path):
    """Measured in frames, because a window of Chromium cannot be as narrow as a phone."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    text = page.read_text()
    assert policy in text
    (tmp_path / "inside.html").write_text(text.replace(policy, "").replace("</body>", f"{TELL}</body>"))
    frames = "".join(f'<iframe src="inside.html" width="{width}" height="900"></iframe>' for width in WIDTHS)
    (tmp_path / "frames.html").write_text(f"<!DOCTYPE html><title>seen: </title>{LISTEN}{frames}")
    dumped = browse(tmp_path / "frames.html", tmp_path, "--dump-dom", "--virtual-time-budget=5000")
    (title,) = re.findall("<title>seen:(.*?)</title>", dumped)
    assert {*title.strip(" ;").split(";")} == {f"{width} of {width}" for width in WIDTHS}


@pytest.mark.parametrize(("scheme", "background"), [("light", (255, 255, 255)), ("dark", (20, 23, 26))])
def test_colors_follow_the_scheme(page, tmp_path, scheme, background):
    picture = tmp_path / "page.png"
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    browse(page, tmp_path, f"--screenshot={picture}", "--window-size=1100,900", *dark)
    with Image.open(picture) as image:
        colors = image.convert("RGB").getcolors(1 << 24)
    assert max(colors)[1] == background
