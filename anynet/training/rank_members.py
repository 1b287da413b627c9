"""Members over several processes, each of which trains some stacks of them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from anynet.core.ranks import RankLost
from anynet.training.inputs import Inputs
from anynet.training.members import Member
from anynet.training.progress import Progress
from anynet.training.rank_checkpoints import SpareFolder
from anynet.training.run import Run
from anynet.training.scheduler import Folder, Report, Stacks, choose_stacks, train_stacks


def train_over_ranks(
    inputs: Inputs,
    members: Sequence[Member],
    progress: Progress,
    report: Report,
    checkpoints: Folder | None = None,
) -> list[Run]:
    """Train and test some of the members on each rank; nothing is exchanged but their results, at the end.

    Parameters
    ----------
    inputs : Inputs
        With the ranks.
    members : sequence of Member
        All of them.
    progress, report
        As for `train_members`, for the members of this rank.
    checkpoints : CheckpointFolder or SpareFolder, optional
        A training goes on with the same stacks, on any number of ranks.

    Returns
    -------
    list of Run
        Of all members, the same on all ranks; without those from the first on that has none, after Control-C.

    Raises
    ------
    OutOfMemoryError
    RankLost
        If another rank ends before it has sent its results.
    """
    ranks = inputs.ranks
    assert ranks is not None
    alone = replace(inputs, ranks=None)

    def choose() -> tuple[int, Stacks]:
        workers, stacks = choose_stacks(alone, members, ranks.size)
        return workers, stacks if checkpoints is None else checkpoints.stacks(stacks)

    workers, stacks = ranks.first(choose)
    own = stacks[ranks.rank :: ranks.size]
    writing: AbstractContextManager[Folder | None] = nullcontext(checkpoints)
    if isinstance(checkpoints, SpareFolder):
        writing = checkpoints.writing()
    with writing as folder:
        try:
            runs = train_stacks(alone, members, own, min(workers, max(len(own), 1)), progress, report, folder)
        except RankLost:
            raise
        except KeyboardInterrupt:
            runs = []
    trained = dict(zip((k for stack in own for k in stack), runs, strict=False))
    samples = {name: part for name, part in inputs.data.parts.items() if name != "train"}
    everywhere: dict[int, Run] = {}
    for part in ranks.all({k: run.without_samples() for k, run in trained.items()}):
        everywhere |= {k: replace(run, _samples=samples) for k, run in part.items()}
    whole = next((k for k in range(len(members)) if k not in everywhere), len(members))
    if not whole:
        raise KeyboardInterrupt
    return [everywhere[k] for k in range(whole)]
