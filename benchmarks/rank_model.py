"""Predict training over up to 1,024 ranks from measurements of few: ``python -m benchmarks.rank_model FILE``.

Reads the three files of ``python -m benchmarks.ranks``, and writes a page and a figure beside them.
"""

import json
from pathlib import Path
from typing import Any

from anynet.core.atomic import write_whole
from benchmarks import common
from benchmarks.ranks import command, model, page

SUFFIX = "-ranks-throughput.json"


def main(measured: Path) -> None:
    """Write the page and the figure of measured and predicted speeds.

    Parameters
    ----------
    measured:
        File of ``python -m benchmarks.ranks throughput`` whose name ends with -ranks-throughput.json; those of
        sums and steps are beside it.
    """
    if not measured.name.endswith(SUFFIX):
        raise ValueError(f"{measured}: expected a file whose name ends with {SUFFIX}")
    base = measured.with_name(measured.name.removesuffix(SUFFIX) + "-ranks")
    parts: dict[str, dict[str, Any]] = {
        part: json.loads(base.with_name(f"{base.name}-{part}.json").read_text(encoding="utf-8"))
        for part in command.PARTS
    }
    nets = model.nets(parts["steps"]["results"])
    networks = model.networks(parts["sums"]["results"])
    figure = page.figure_of(nets, networks)
    figure.savefig(base.with_name(f"{base.name}.png"), dpi=80)
    text = page.page(parts, nets, networks, f"{base.name}.png")
    write_whole(base.with_name(f"{base.name}.md"), lambda path: path.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    common.run(main)
