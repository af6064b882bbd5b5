"""What the edited picture is compared with, in bars and difference: the start, or a pin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.live.frames import Frame
from latentlab.operations.attribute_table import Probabilities
from latentlab.session.document import Explore, Pin, Shelf
from latentlab.ui.widgets.attribute_bars import AttributeBars
from latentlab.ui.widgets.picture_stage import PictureStage


@dataclass(frozen=True, eq=False)
class Compared:
    """What the edited picture is compared with.

    Parameters
    ----------
    pixels, attributes
        Uint8 ``[S, S, 4]`` (BGRX) and its probabilities; None and empty while they are not there yet.
    pin
        Whether it is a pin; then changes since are shown too.
    """

    name: str
    pixels: NDArray[np.uint8] | None
    attributes: Probabilities
    pin: bool = False

    @property
    def called(self) -> str:
        """What it is called within a sentence."""
        return self.name if self.pin else f"the {self.name.lower()}"


class Comparison:
    """Keeps the frames of the start and of the pins, and shows the one that is compared with."""

    def __init__(self, stage: PictureStage, bars: AttributeBars) -> None:
        self._stage, self._bars = stage, bars
        self.pin_frame: Frame | None = None
        self._pins: tuple[Pin, ...] = ()
        self.start_frame: Frame | None = None

    def forget(self) -> None:
        """Forget all frames: another model has made what is shown."""
        self.pin_frame = self.start_frame = None

    def take_pins(self, frame: Frame, pins: Sequence[Pin]) -> None:
        """Keep the pictures of the pins, which come first in the frame."""
        self.pin_frame, self._pins = frame, tuple(pins)

    def show(self, state: Explore, shelf: Shelf) -> None:
        """Show what the edited picture of a state is compared with."""
        source, bars = state.source, self._bars
        bars.show_series("input", "Input", None if source is None else source.encoded.source_attributes)
        found = Compared(shelf.compared, *self._of_pin(shelf), pin=True) if shelf.compared else None
        found = found or self.with_start(state)
        bars.show_series("start", found.name, found.attributes)
        bars.show_changes(found.pin)
        self._stage.compare_with(found.pixels, found.called)

    def with_start(self, state: Explore) -> Compared:
        """Return the reconstruction of a state, or its start where no picture was encoded."""
        source, frame = state.source, self.start_frame
        if source is not None:
            encoded = source.encoded
            return Compared("Reconstruction", encoded.reconstruction, encoded.reconstruction_attributes)
        return Compared("Start", None, {}) if frame is None else Compared("Start", *picture_of(frame, 0))

    def _of_pin(self, shelf: Shelf) -> tuple[NDArray[np.uint8] | None, Probabilities]:
        # The frame may be of before pins were moved, renamed or removed: a pin is known by its latent.
        frame, pin = self.pin_frame, shelf.pin(shelf.compared)
        places = [k for k, seen in enumerate(self._pins) if pin is not None and seen.latent is pin.latent]
        return (None, {}) if frame is None or not places else picture_of(frame, places[0])


def picture_of(frame: Frame, place: int) -> tuple[NDArray[np.uint8], Probabilities]:
    """Return one picture of a frame, uint8 ``[S, S, 4]``, and its probabilities ``[classes]``."""
    return frame.pixels[place], {name: values[place] for name, values in frame.attributes.items()}
