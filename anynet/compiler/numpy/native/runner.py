"""The function of a module that calls its kernels, in one thread or in several.

With several, each thread runs the same kernels in the same order: of a kernel's units it has its part, and what has one
unit is left to the first thread. Threads wait for each other where a kernel of several units ends or begins. They are
made by the function and end with it, so that nothing is left to a process that is forked or interrupted.
"""

import os
import sys
from collections.abc import Sequence

import threadpoolctl

CAN_SHARE = sys.platform != "win32"
"""True if the process has POSIX threads."""

_JOB = "[40 x i64]"
_PARTS, _TAKEN, _ARRIVED, _TURN, _MUTEX, _CONDITION = 4, 5, 6, 7, 8, 24  # behind the numbers of rows and kernels

_YIELDS = 100
"""Number of times that a thread that waits offers its core to others before it sleeps."""


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
    sizes = _sizes("begin", "stop", "first", "last", "part", "parts")
    rows = f"""define internal void @rows(ptr noalias readonly %table, {sizes}, ptr %job) {{
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
done:{_wait() if shares else ""}
  %row.next = add nsw i64 %row, 1
  br label %rows
end:
  ret void
}}
"""
    return rows + (_SHARED if shares else _ALONE)


def _sizes(*names: str) -> str:
    return ", ".join(f"i64 %{name}" for name in names)


def _wait() -> str:
    return "\n  call void @wait(ptr %job, i64 %parts)"


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
    return f"""call{i}:{_wait() if before == 1 else ""}
  %low{i} = mul i64 %part, {units}
  %high{i} = add i64 %low{i}, {units}
  %first{i} = udiv i64 %low{i}, %parts
  %last{i} = udiv i64 %high{i}, %parts
  %some{i} = icmp slt i64 %first{i}, %last{i}
  br i1 %some{i}, label %begin{i}, label %end{i}
begin{i}:
{call}
  br label %end{i}
end{i}:{_wait()}
  br label %next"""


_ALONE = f"""
define void @run(ptr noalias readonly %table, {_sizes("begin", "stop", "first", "last", "parts")}) {{
  call void @rows(ptr %table, i64 %begin, i64 %stop, i64 %first, i64 %last, i64 0, i64 1, ptr null)
  ret void
}}
"""


def _place(name: str, number: int, job: str = "%job") -> str:
    return f"  {name} = getelementptr {_JOB}, ptr {job}, i64 0, i64 {number}"


_WAIT = f"""
declare i32 @sched_yield()
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_mutex_destroy(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_cond_destroy(ptr)

define internal void @until_changed(ptr %job, ptr %place, i64 %old) {{
entry:
{_place("%mutex", _MUTEX)}
{_place("%condition", _CONDITION)}
  br label %spin
spin:
  %count = phi i64 [ 0, %entry ], [ %count.next, %offer ]
  %seen = load atomic i64, ptr %place acquire, align 8
  %same = icmp eq i64 %seen, %old
  br i1 %same, label %again, label %done
again:
  %few = icmp slt i64 %count, {_YIELDS}
  br i1 %few, label %offer, label %lock
offer:
  call i32 @sched_yield()
  %count.next = add i64 %count, 1
  br label %spin
lock:
  call i32 @pthread_mutex_lock(ptr %mutex)
  br label %check
check:
  %now = load atomic i64, ptr %place acquire, align 8
  %still = icmp eq i64 %now, %old
  br i1 %still, label %sleep, label %unlock
sleep:
  call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  br label %check
unlock:
  call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %done
done:
  ret void
}}

define internal void @change(ptr %job, ptr %place, i64 %new) {{
{_place("%mutex", _MUTEX)}
{_place("%condition", _CONDITION)}
  call i32 @pthread_mutex_lock(ptr %mutex)
  store atomic i64 %new, ptr %place release, align 8
  call i32 @pthread_cond_broadcast(ptr %condition)
  call i32 @pthread_mutex_unlock(ptr %mutex)
  ret void
}}

define internal void @wait(ptr %job, i64 %parts) {{
entry:
  %alone = icmp eq i64 %parts, 1
  br i1 %alone, label %done, label %arrive
arrive:
{_place("%turn", _TURN)}
{_place("%arrived", _ARRIVED)}
  %now = load atomic i64, ptr %turn acquire, align 8
  %before = atomicrmw add ptr %arrived, i64 1 acq_rel
  %others = add i64 %before, 1
  %all = icmp eq i64 %others, %parts
  br i1 %all, label %release, label %check
release:
  store atomic i64 0, ptr %arrived monotonic, align 8
  %next = add i64 %now, 1
  call void @change(ptr %job, ptr %turn, i64 %next)
  br label %done
check:
  call void @until_changed(ptr %job, ptr %turn, i64 %now)
  br label %done
done:
  ret void
}}
"""

_LOADS = "\n".join(
    f"{_place(f'%{name}.place', i)}\n  %{name} = load i64, ptr %{name}.place, align 8"
    for i, name in enumerate(("begin", "stop", "first", "last"))
)
_STORES = "\n".join(
    f"{_place(f'%{name}.place', i)}\n  store i64 %{name}, ptr %{name}.place, align 8"
    for i, name in enumerate(("begin", "stop", "first", "last"))
)

_SHARED = f"""{_WAIT}
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)

%shared = type {{ {_JOB}, ptr }}

define internal ptr @work(ptr %job) {{
entry:
{_place("%parts.place", _PARTS)}
{_place("%taken", _TAKEN)}
{_LOADS}
  call void @until_changed(ptr %job, ptr %parts.place, i64 0)
  %parts = load atomic i64, ptr %parts.place acquire, align 8
  %table.place = getelementptr %shared, ptr %job, i64 0, i32 1
  %table = load ptr, ptr %table.place, align 8
  %part = atomicrmw add ptr %taken, i64 1 acq_rel
  call void @rows(ptr %table, i64 %begin, i64 %stop, i64 %first, i64 %last, i64 %part, i64 %parts, ptr %job)
  ret ptr null
}}

define void @run(ptr noalias readonly %table, {_sizes("begin", "stop", "first", "last", "parts")}) {{
entry:
  %several = icmp sgt i64 %parts, 1
  br i1 %several, label %share, label %alone
alone:
  call void @rows(ptr %table, i64 %begin, i64 %stop, i64 %first, i64 %last, i64 0, i64 1, ptr null)
  ret void
share:
  %job = alloca %shared, align 64
  %threads = alloca i64, i64 %parts, align 8
{_STORES}
{_place("%parts.place", _PARTS)}
{_place("%taken", _TAKEN)}
{_place("%arrived", _ARRIVED)}
{_place("%turn", _TURN)}
  store i64 0, ptr %parts.place, align 8
  store i64 1, ptr %taken, align 8
  store i64 0, ptr %arrived, align 8
  store i64 0, ptr %turn, align 8
  %table.place = getelementptr %shared, ptr %job, i64 0, i32 1
  store ptr %table, ptr %table.place, align 8
{_place("%mutex", _MUTEX)}
{_place("%condition", _CONDITION)}
  call i32 @pthread_mutex_init(ptr %mutex, ptr null)
  call i32 @pthread_cond_init(ptr %condition, ptr null)
  br label %create
create:
  %made = phi i64 [ 1, %share ], [ %made.next, %made.one ]
  %missing = icmp slt i64 %made, %parts
  br i1 %missing, label %make, label %go
make:
  %thread = getelementptr i64, ptr %threads, i64 %made
  %failed = call i32 @pthread_create(ptr %thread, ptr null, ptr @work, ptr %job)
  %fine = icmp eq i32 %failed, 0
  br i1 %fine, label %made.one, label %go
made.one:
  %made.next = add i64 %made, 1
  br label %create
go:
  call void @change(ptr %job, ptr %parts.place, i64 %made)
  call void @rows(ptr %table, i64 %begin, i64 %stop, i64 %first, i64 %last, i64 0, i64 %made, ptr %job)
  br label %join
join:
  %k = phi i64 [ 1, %go ], [ %k.next, %joined ]
  %left = icmp slt i64 %k, %made
  br i1 %left, label %joined, label %end
joined:
  %old = getelementptr i64, ptr %threads, i64 %k
  %id = load i64, ptr %old, align 8
  call i32 @pthread_join(i64 %id, ptr null)
  %k.next = add i64 %k, 1
  br label %join
end:
  call i32 @pthread_cond_destroy(ptr %condition)
  call i32 @pthread_mutex_destroy(ptr %mutex)
  ret void
}}
"""
