"""``anynet reproduce``."""

from pathlib import Path
from typing import Literal

from anynet.app.config import Count
from anynet.app.grouping import TOGETHER
from anynet.app.reports.reproduce import reproduce as run_reports
from anynet.backends import DTYPES
from anynet.backends import backend as choose_backend


def reproduce(
    *reports: str,
    out: Path = Path("reproduced"),
    data: str = "auto",
    backend: str | None = None,
    dtype: Literal[DTYPES] = "float32",  # type: ignore[valid-type]
    quick: bool = False,
    jobs: Count | None = None,
    together: Count = TOGETHER,
    note: str = "the images given",
) -> None:
    """Do again what the reports did, and write a page for each: claimed beside measured. Goes on where it was stopped.

    Parameters
    ----------
    reports:
        Which; all by default. python -m anynet presets lists them; gradient-checks is what each of them begins with.
    out:
        Folder for runs and pages, a new one or one to go on with.
    data, backend, dtype:
        As for train.
    quick:
        Only a few images, epochs and seeds, to see that everything works.
    jobs:
        Processes, each with one thread. Default: as many as there are cores with numpy, 1 with another backend.
    together:
        Runs that a process trains at once, as one stack of nets, where they differ in nothing but rate, schedule,
        warm-up, momentum, penalty and initialisation.
    note:
        What to call the images on the pages.
    """
    chosen = choose_backend(backend)
    base = {"data": data, "dtype": dtype} | ({} if backend is None else {"backend": backend})
    jobs = jobs or chosen.workers
    try:
        run_reports(reports, out, base=base, quick=quick, jobs=jobs, together=together, note=note)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped by hand; the same command goes on with {out}") from None
    print(f"{out / 'README.md'}, and {out / 'index.html'}, lead to the pages")
