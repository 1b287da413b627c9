"""The function of a module that calls its kernels for each row, in one thread or in several.

With several, each thread runs the same kernels in the same order: of a kernel's units it has its part, and what has one
unit is left to the first thread. Threads wait for each other where a kernel of several units ends or begins.
"""

import os
import sys
from collections.abc import Sequence

import threadpoolctl

from anynet.compiler.numpy.native.run_threads import ALONE, SHARED, WAIT

CAN_SHARE = sys.platform != "win32"
"""True if the process has POSIX threads."""

_SIZES = "i64 %begin, i64 %stop, i64 %first, i64 %last, i64 %part, i64 %parts"


def threads() -> int:
    """Return the number of threads for a step's kernels: one for each core, or one if BLAS is limited to one."""
    blas = [info["num_threads"] for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]
    return 1 if not CAN_SHARE or min(blas, default=1) == 1 else _cores()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def runner(calls: Sequence[str], units: Sequence[int]) -> str:
    """Return the function ``run`` of a module.

    Parameters
    ----------
    calls : sequence of str
        Instructions that call each kernel, with its first and last unit in ``%first0``, ``%last0`` and so on.
    units : sequence of int
        Number of units of each kernel.

    Returns
    -------
    str
        ``run(table, row, stop, first, last, parts)``, which calls kernels `first` to `last` for rows `row` to `stop` in
        so many threads.
    """
    shares = CAN_SHARE and max(units, default=1) > 1
    cases = "\n".join(f"    i64 {i}, label %call{i}" for i in range(len(calls)))
    blocks = "\n".join(_block(i, call, units[max(i - 1, 0) : i + 1], shares=shares) for i, call in enumerate(calls))
    rows = f"""define internal void @rows(ptr noalias readonly %table, {_SIZES}, ptr %job) {{
entry:
  br label %rows
rows:
  %row = phi i64 [ %begin, %entry ], [ %row.next, %done ]
  %more.rows = icmp slt i64 %row, %stop
  br i1 %more.rows, label %calls, label %end
calls:
  %i = phi i64 [ %first, %rows ], [ %i.next, %next ]
  %more = icmp slt i64 %i, %last
  br i1 %more, label %call, label %done
call:
  switch i64 %i, label %next [
{cases}
  ]
{blocks}
next:
  %i.next = add nsw i64 %i, 1
  br label %calls
done:{WAIT if shares else ""}
  %row.next = add nsw i64 %row, 1
  br label %rows
end:
  ret void
}}
"""
    return rows + (SHARED if shares else ALONE)


def _block(i: int, call: str, several: Sequence[int], *, shares: bool) -> str:
    """Return the basic blocks that run a kernel, given its number of units behind that of the kernel before."""
    before, units = several[0], several[-1]
    numbers = f"  %first{i} = add i64 0, 0\n  %last{i} = add i64 0, {units}"
    if not shares:
        return f"call{i}:\n{numbers}\n{call}\n  br label %next"
    if units == 1:
        return f"""call{i}:
  %mine{i} = icmp eq i64 %part, 0
  br i1 %mine{i}, label %begin{i}, label %next
begin{i}:
{numbers}
{call}
  br label %next"""
    return f"""call{i}:{WAIT if before == 1 else ""}
  %low{i} = mul i64 %part, {units}
  %high{i} = add i64 %low{i}, {units}
  %first{i} = udiv i64 %low{i}, %parts
  %last{i} = udiv i64 %high{i}, %parts
  %some{i} = icmp slt i64 %first{i}, %last{i}
  br i1 %some{i}, label %begin{i}, label %end{i}
begin{i}:
{call}
  br label %end{i}
end{i}:{WAIT}
  br label %next"""
