"""The function ``run`` of a module: it calls ``rows`` in its own thread, or in several, which wait for each other.

Threads are made by the function and end with it, so that nothing is left to a process that is forked or interrupted.
They share a job, an array of numbers: those of rows and kernels, how many threads there are, and what waiting needs.
"""

_JOB = "[40 x i64]"
_PARTS, _TAKEN, _ARRIVED, _TURN, _MUTEX, _CONDITION = 4, 5, 6, 7, 8, 24  # behind the numbers of rows and kernels

_YIELDS = 100
"""Number of times that a thread that waits offers its core to others before it sleeps."""

WAIT = "\n  call void @wait(ptr %job, i64 %parts)"
"""Instruction that waits for all threads, in functions of `SHARED`."""

_RUN = "define void @run(ptr noalias readonly %table, i64 %begin, i64 %stop, i64 %first, i64 %last, i64 %parts)"


def _place(name: str, number: int) -> str:
    """Return the instruction that finds a number of the job."""
    return f"  {name} = getelementptr {_JOB}, ptr %job, i64 0, i64 {number}"


def _numbers(instruction: str) -> str:
    """Return an instruction for each of the numbers of rows and kernels, followed by its place."""
    return "\n".join(
        f"{_place(f'%{name}.place', i)}\n  {instruction.format(name)}, ptr %{name}.place, align 8"
        for i, name in enumerate(("begin", "stop", "first", "last"))
    )


_LOADS, _STORES = _numbers("%{} = load i64"), _numbers("store i64 %{}")

ALONE = f"""
{_RUN} {{
  call void @rows(ptr %table, i64 %begin, i64 %stop, i64 %first, i64 %last, i64 0, i64 1, ptr null)
  ret void
}}
"""
"""Function of a module whose kernels have one unit each."""

_BARRIER = f"""
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

SHARED = f"""{_BARRIER}
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

{_RUN} {{
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
"""Function of a module that can run in several threads."""
