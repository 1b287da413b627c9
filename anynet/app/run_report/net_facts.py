"""The net in a run folder: its layers, and the pictures of its first weights."""

from dataclasses import dataclass

from markupsafe import Markup

from anynet.app.run_report.inline_svg import InlinePictures
from anynet.app.run_report.run_files import RunFiles
from anynet.core.errors import FileError
from anynet.training import Run
from anynet.training.load import NET_FILE, load
from anynet.training.net_pictures import pictured_layer
from anynet.training.run_file import OlderFileError


@dataclass(frozen=True)
class NetFacts:
    """Facts in the file of a net.

    Parameters
    ----------
    parameters : int or None
        Number of parameters.
    summary : str
        Table of its layers.
    filters : Markup or None
        Picture of its first weights, if they can be drawn.
    layer : str
        Name of their layer.
    note : str
        Why something is missing.
    """

    parameters: int | None = None
    summary: str = ""
    filters: Markup | None = None
    layer: str = ""
    note: str = ""


def net_facts(pictures: InlinePictures, files: RunFiles) -> NetFacts:
    """Read the net of a run and draw its first weights.

    Parameters
    ----------
    pictures : InlinePictures
    files : RunFiles

    Returns
    -------
    NetFacts

    Raises
    ------
    FileError
        If the file is damaged.
    """
    path = files.path / NET_FILE
    if not path.exists():
        return NetFacts(note=f"There is no {NET_FILE}: the run diverged or has not ended.")
    try:
        run = load(path, backend="numpy")
    except OlderFileError:
        older = "is of an earlier version of anynet, which did not describe the net in it; train again to see it here."
        return NetFacts(note=f"{NET_FILE} {older}")
    except FileError as error:
        if not error.place.startswith("layer "):  # one of a user's class, whose code is not run for a page
            raise
        how = "load it in Python with anynet.load(folder, net=...), and draw it with run.plot_weights()."
        return NetFacts(
            note=f"The net has a layer that is not of anynet ({error.got}), whose code is not run here; {how}"
        )
    return _facts(pictures, run)


def _facts(pictures: InlinePictures, run: Run) -> NetFacts:
    layer = pictured_layer(run.net, run.shape)
    facts = NetFacts(parameters=run.net.n_parameters, summary=run.net.summary(), layer=layer or "")
    if layer is None:
        note = "The first weights are not those of pixels of gray or colored images, so there is nothing to draw."
        note *= len(run.shape) == 3  # of other samples nobody expects pictures
        return NetFacts(facts.parameters, facts.summary, note=note)
    label = f"learnt weights of layer {layer} after epoch {run.best.epoch}, as images"
    return NetFacts(facts.parameters, facts.summary, pictures.add(run.plot_weights(), label), layer)
