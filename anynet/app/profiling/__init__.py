"""Where the time of a training step goes, layer by layer: what ``python train.py --profile`` prints.

    print(profile(experiment.prepare(Config(hidden="50,30"))))

``parts`` says which part of a step each recorded operation belongs to, ``runners`` runs and ``timing`` times them,
``result`` shows what came out.
"""

from anynet.app.profiling.profile_result import Profile
from anynet.app.profiling.timing import profile

__all__ = ["Profile", "profile"]
