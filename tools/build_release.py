"""Build the sdist and the wheel of the last commit twice, compare them, and put them into a folder.

Run by ``make release``: ``python tools/build_release.py dist``. Each build begins with a clone of its own. Ends with
code 1, and leaves the folder alone, where the two differ by a byte.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def built(clone: Path) -> dict[str, bytes]:
    """Clone the repository into a new folder, build there, and return the files built, by their names."""
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    log = ["git", "-C", str(clone), "log", "-1", "--format=%ct"]
    time = subprocess.run(log, check=True, capture_output=True, text=True).stdout.strip()
    build = [sys.executable, "-m", "build", "--installer", "uv", str(clone)]
    subprocess.run(build, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": time}, stdout=subprocess.DEVNULL)
    return {path.name: path.read_bytes() for path in sorted((clone / "dist").iterdir())}


def main(folder: Path) -> None:
    """Build twice, and replace a folder by what both builds gave."""
    with tempfile.TemporaryDirectory() as scratch:
        first, second = built(Path(scratch, "first")), built(Path(scratch, "second", "deeper"))
    if first != second:
        differ = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        sys.exit(f"two builds of one commit differ in {', '.join(differ)}; nothing is written")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in first.items():
        (folder / name).write_bytes(content)
        print(f"{folder / name}: {len(content):,} bytes, the same in two builds")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
