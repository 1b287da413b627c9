"""A plot in a notebook that is drawn while a net is trained."""

import time
import warnings
from typing import Any

from anynet.core.errors import TrainingWarning
from anynet.core.history import History
from anynet.core.notebook import in_notebook
from anynet.training.callback import Callback, Training, by_member
from anynet.training.run import Run
from anynet.training.runs import Runs

SECONDS = 1.0
"""Shortest time between two pictures."""

SHARE = 0.1
"""Largest share of the time of a training that drawing may take."""


class LivePlot(Callback):
    """Show cost, loss and accuracy by epoch in a notebook, as one picture that is updated while a net is trained.

    At most one picture a second is drawn, and fewer if drawing would take more than a tenth of the time. Of members it
    shows means and deviations, over those that are at most one epoch behind. Outside of a notebook a `TrainingWarning`
    says that there is nowhere to draw. Needs Matplotlib.
    """

    def __repr__(self) -> str:
        return "LivePlot()"

    def start(self, training: Training) -> None:
        """Reserve the place of the picture, which other threads may fill."""
        self._training, self._histories, self._place, self._due = training, [*training.histories], None, 0.0
        if not in_notebook():
            warnings.warn(
                "LivePlot draws in notebooks alone; elsewhere result.plot() draws when the training has ended",
                TrainingWarning,
                stacklevel=4,
            )
            return
        from IPython.display import display  # here, because there may be no notebook

        from anynet import plots  # here, because Matplotlib is slow to import

        self._curves = plots.curves_of_members
        self._place = display({"text/plain": f"{training.dataset}: first epoch"}, raw=True, display_id=True)

    def epoch(self, epoch: Any) -> None:
        """Draw, if it is time for another picture."""
        if self._place is None:
            return
        for k, row in by_member(epoch).items():
            self._histories[k] = History([*self._histories[k], row])
        if time.monotonic() >= self._due:
            self._draw()

    def end(self, result: Run | Runs) -> None:
        """Draw the plot of the result."""
        if self._place is None:
            return
        try:
            self._place.update(result.plot())
        except ValueError:  # no member finished
            self._draw()

    def failed(self, error: BaseException) -> None:
        """Draw the epochs until then."""
        self._draw()

    def _draw(self) -> None:
        latest = max(map(len, self._histories))
        drawn = [history for history in self._histories if len(history) >= max(1, latest - 1)]
        if self._place is None or not drawn:
            return
        began, training = time.monotonic(), self._training
        nets = f", {len(drawn)} of {len(training.members)} nets" if training.members else ""
        self._place.update(self._curves({"": drawn}, f"{training.dataset}: epoch {latest} of {training.epochs}{nets}"))
        now = time.monotonic()
        self._due = now + max(SECONDS, (now - began) / SHARE)
