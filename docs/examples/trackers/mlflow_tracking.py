"""MLflow: a run for each net, with its settings, the numbers of every epoch, and the trained net as a file."""

import mlflow
import numpy as np

import anynet as an
from anynet.callbacks import by_member


class MLflow(an.Callback):
    """Log trainings where MLFLOW_TRACKING_URI says, as runs of an experiment."""

    def start(self, training):
        experiment, self.client = mlflow.set_experiment(training.dataset), mlflow.MlflowClient()
        nets = training.members or ({},)
        self.ids = [self.client.create_run(experiment.experiment_id).info.run_id for _ in nets]
        for run_id, own in zip(self.ids, nets, strict=True):
            mlflow.log_params(training.settings | own, run_id=run_id)

    def epoch(self, epoch):
        for k, row in by_member(epoch).items():
            measured = {name: value for name, value in row._asdict().items() if value is not None}
            mlflow.log_metrics(measured, step=row.epoch, run_id=self.ids[k])

    def end(self, result):
        for run_id, run in zip(self.ids, result if isinstance(result, an.Runs) else [result], strict=False):
            run.save("net.safetensors")
            self.client.log_artifact(run_id, "net.safetensors")
            self.client.set_terminated(run_id)

    def failed(self, error):
        for run_id in self.ids:
            self.client.set_terminated(run_id, "FAILED")


x = np.random.default_rng(0).normal(size=(300, 4))
net = an.Sequential(an.Linear(20), an.Tanh(), an.Linear(2))
runs = an.fit(net, (x, x[:, 0] > x[:, 1]), an.Adam(0.01), val=0.2, seeds=(1, 2), epochs=5, callbacks=[MLflow()])
