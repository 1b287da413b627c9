"""Profiles of a training step, layer by layer, as ``python train.py --profile`` prints them.

    print(profile(experiment.prepare(Config(hidden="50,30"))))

``parts`` assigns recorded operations to parts of a step, ``runners`` runs them, ``timing`` measures their time, and
``profile_result`` formats the table.
"""

from anynet.app.profiling.profile_result import Profile
from anynet.app.profiling.timing import profile

__all__ = ["Profile", "profile"]
