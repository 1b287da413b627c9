"""Weights & Biases: a run for each net, with its settings and the numbers of every epoch."""

import numpy as np
import wandb

import anynet as an
from anynet.callbacks import by_member


class WandB(an.Callback):
    """Log trainings as runs of a project; ``mode="offline"`` keeps them in a folder, for ``wandb sync``."""

    def __init__(self, **options):
        self.options = options

    def start(self, training):
        self.runs = [
            wandb.init(config=training.settings | own, reinit="create_new", **self.options)
            for own in training.members or ({},)
        ]

    def epoch(self, epoch):
        for k, row in by_member(epoch).items():
            measured = {name: value for name, value in row._asdict().items() if value is not None}
            self.runs[k].log(measured, step=row.epoch)

    def end(self, result):
        for log, run in zip(self.runs, result if isinstance(result, an.Runs) else [result], strict=False):
            log.summary["best_epoch"] = run.best.epoch
            log.finish()

    def failed(self, error):
        for log in self.runs:
            log.finish(exit_code=1)


x = np.random.default_rng(0).normal(size=(300, 4))
net, log = an.Sequential(an.Linear(20), an.Tanh(), an.Linear(2)), WandB(project="planes", mode="offline")
runs = an.fit(net, (x, x[:, 0] > x[:, 1]), an.Adam(0.01), val=0.2, seeds=(1, 2), epochs=5, callbacks=[log])
