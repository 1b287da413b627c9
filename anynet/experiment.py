"""The main job: settings in, a trained net and a folder of results out."""

import itertools
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from anynet import build
from anynet.backends import backend as choose_backend
from anynet.config import Config
from anynet.data import load
from anynet.data.normalization import Normalization, check_kind, normalization
from anynet.gradcheck import Subject, of_net
from anynet.run_folder import RunFolder, refuse_existing
from anynet.training import Run, check, fit


def train(config: Config, folder: Path | None = None) -> tuple[Run, Path, dict[str, Any]]:
    """Train as the settings say.

    folder: where the results go; by default a new one under ``runs``, named after the time.

    Returns the run, its folder, and what is in its result.json. Raises what ``fit`` and ``load`` raise, and
    FileExistsError; nothing is written before all settings are known to be good.
    """
    folder = folder or _new_folder()
    refuse_existing(folder)
    backend, optimizer = choose_backend(config.backend), build.optimizer(config)
    build.initializers(config.init)
    check_kind(config.normalize)
    data = load(config.data, config.train, config.val)
    net = build.net(config, data.train.images.shape[1], len(data.classes))
    check(
        net,
        data,
        optimizer,
        l2=config.l2,
        epochs=config.epochs,
        batch_size=config.batch_size,
        flip=config.flip,
        crop=config.crop,
    )
    if data.name == "synthetic":
        config = replace(config, data="synthetic")  # what "auto" has come to
    print(
        f"{data.name}: {len(data.train)} images to train with, {len(data.val)} to validate, {len(data.test)} to test; "
        f"{net.layout.size:,} parameters; {backend}, {config.dtype}; results in {folder}",
        file=sys.stderr,
    )
    with RunFolder(folder, config, data.name) as results:
        run = fit(
            net,
            data,
            optimizer,
            loss=build.LOSSES[config.loss],
            l2=config.l2,
            epochs=config.epochs,
            batch_size=config.batch_size,
            seed=config.seed,
            backend=backend,
            dtype=config.dtype,
            normalize=config.normalize,
            flip=config.flip,
            crop=config.crop,
            drop_last=config.drop_last,
            memory_budget=None if config.memory_budget is None else round(config.memory_budget * 1e9),
            on_epoch=results.add,
        )
        return run, folder, results.finish(run, official=data.official)


def gradient_subject(config: Config, samples: int) -> Subject:
    """The cost that a run begins with, on the first training images, as a subject of ``anynet.gradcheck.check``.

    Raises ValueError where there are not so many images, and what ``load`` raises.
    """
    backend = choose_backend(config.backend)
    check_kind(config.normalize)
    data = load(config.data, config.train, config.val)
    if samples > len(data.train):
        raise ValueError(f"--samples: expected 1 to {len(data.train)}, the number of training images, got {samples}")
    images = Normalization(*normalization(config.normalize, data.train.images))(data.train.images[:samples])
    return of_net(
        build.net(config, images.shape[1], len(data.classes)),
        images,
        data.train.labels[:samples],
        loss=build.LOSSES[config.loss],
        l2=config.l2,
        seed=config.seed,
        backend=backend,
        dtype=config.dtype,
    )


def _new_folder() -> Path:
    now = Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S")
    later = (now.with_name(f"{now.name}-{i}") for i in itertools.count(2))
    return next(path for path in itertools.chain([now], later) if not path.exists())
