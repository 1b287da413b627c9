"""``anynet reproduce``."""

from pathlib import Path
from typing import Literal

from anynet.app.config import Count, Quiet
from anynet.app.ending import ending_with_signals
from anynet.app.grouping import STACK_SIZE
from anynet.app.reports.reproduction import reproduce as run_reports
from anynet.backends import COMPILE, DTYPES
from anynet.backends import backend as choose_backend
from anynet.core.meter import progress_shown


def reproduce(
    *reports: str,
    out: Path = Path("reproduced"),
    data: str = "auto",
    backend: str | None = None,
    dtype: Literal[DTYPES] = "float32",  # type: ignore[valid-type]
    compile: Literal[COMPILE] = "auto",  # type: ignore[valid-type]
    quick: bool = False,
    jobs: Count | None = None,
    stack_size: Count = STACK_SIZE,
    note: str = "the images given",
    quiet: Quiet = False,
) -> None:
    """Repeat the experiments of five student reports, and write a page of claimed and measured results for each.

    After an interruption, run the same command again to continue.

    Parameters
    ----------
    reports
        Names of reports (see anynet presets), or gradient-checks. Default: everything.
    out
        Folder for runs and pages, new or to be continued.
    data
        Data set, as for train --data.
    backend
        Array library, as for train --backend.
    dtype
        Dtype of parameters and activations.
    compile
        How steps run, as for train --compile.
    quick
        Use few images, epochs and seeds, as a test that everything works.
    jobs
        Number of processes, one thread each. Default: one per core with numpy, else 1.
    stack_size
        Number of runs trained together as one stack, at most. Runs are stacked if they differ only in learning rate,
        schedule, warm-up, momentum, weight decay, l2 and init.
    note
        Text on the pages that describes the data set.
    quiet
        Show no progress.
    """
    chosen = choose_backend(backend)
    base = {"data": data, "dtype": dtype, "compile": compile} | ({} if backend is None else {"backend": backend})
    jobs = jobs or chosen.workers
    message = f"interrupted; run the same command again to continue {out}"
    with ending_with_signals(message), progress_shown(not quiet):
        run_reports(reports, out, base=base, quick=quick, jobs=jobs, stack_size=stack_size, note=note)
    print(f"start at {out / 'README.md'} or {out / 'index.html'}")
