"""What the Explore screen gives away: picture, figure, table, loop, Python. Pictures are settled ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QIODevice, QSaveFile
from PySide6.QtGui import QFont, QImage, QImageWriter
from PySide6.QtWidgets import QApplication

from latentlab.conditions import words
from latentlab.live.frames import Frame
from latentlab.operations.attribute_table import attribute_rows, origin_note, save_table, table_text
from latentlab.operations.difference import difference_picture
from latentlab.operations.direction import Directions, save_directions
from latentlab.operations.grid_plan import GridPlan
from latentlab.operations.latent_text import latent_text
from latentlab.operations.probe import Probe
from latentlab.session.batches import Export
from latentlab.session.document import Explore
from latentlab.session.probe import ProbePlan
from latentlab.session.rendering import Lost, SettledListener
from latentlab.session.view_code import view_code
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.spec import Attribute
from latentlab.ui.figure import FigurePicture, compose
from latentlab.ui.screen_exports import Renderings
from latentlab.ui.screens.comparison import Compared, picture_of
from latentlab.ui.widgets.bars_painter import Series
from latentlab.ui.widgets.picture_view import bgrx, image_of
from latentlab.whole_file import write_whole

if TYPE_CHECKING:
    from latentlab.ui.screens.explore import ExploreScreen

CHART = (880, 480)
MAP = (1080, 720)
"""Width and height of an exported chart and map, in pixels before enlarging."""
NO_MAP = "There is no map yet. Choose a set above it, or wait until it has been made."
NO_CURVES = "There are no curves yet. Choose an axis, or wait until they are there."


class Exports(Renderings):
    """Writes and copies what is seen; failures to write become messages.

    Parameters
    ----------
    screen
        Whose views are exported.
    writer
        Writes files.
    smooth
        Whether the pictures are shown smoothed, as they should be in the figure.
    """

    def __init__(
        self,
        workspace: Workspace,
        screen: ExploreScreen,
        writer: FileWriter,
        smooth: Callable[[], bool],
    ) -> None:
        super().__init__(workspace)
        self._screen, self._writer = screen, writer
        self._smooth = smooth
        self._export = Export(workspace.rendering)

    @property
    def busy(self) -> bool:
        """Whether anything is still being rendered or written."""
        return self.rendering or self._writer.busy

    # The edited picture and its latent

    def picture(self, path: Path) -> None:
        """Save the settled picture as PNG, at the model's own size."""
        self._when_settled(
            lambda state, frame: self._save(self._named(frame, state), path), f"{path} was not saved"
        )

    def copy_picture(self) -> None:
        """Copy the settled picture."""

        def copy(state: Explore, frame: Frame) -> None:
            QApplication.clipboard().setImage(self._named(frame, state))
            self._note("The edited picture was copied.")

        self._when_settled(copy, "The edited picture was not copied")

    def copy_latent(self) -> None:
        """Copy the edited latent as text, which can be pasted here or in another window."""
        document = self._workspace.session.document
        if document.checkpoint is not None and document.explore is not None:
            state, checkpoint = document.explore, document.checkpoint
            text = latent_text(checkpoint.name, checkpoint.sha256, state.latent, state.condition)
            QApplication.clipboard().setText(text)
            self._note("The edited latent was copied as text. Paste it to come back to it.")

    def input(self, path: Path) -> None:
        """Save the input as the model sees it, with what was painted on it."""
        state = self._workspace.session.document.explore
        if state is None or state.source is None:
            return
        seen = state.source.seen

        def write() -> None:
            from latentlab.data.contact_sheet import save_sheet

            save_sheet(path, seen)

        self._writer.write(write, f"Saved as {path}.")

    def directions(self, path: Path) -> None:
        """Save all directions as JSON."""
        document = self._workspace.session.document
        reference, found = document.checkpoint, document.shelf.directions
        if reference is not None and found:
            record = Directions(model=reference.name, sha256=reference.sha256, directions=found)
            self._writer.write(partial(save_directions, path, record), f"Saved as {path}.")

    # What depends on the view

    def copy_python(self, view: str) -> None:
        """Copy a program that makes what the view shows again."""
        text = view_code(view, self._workspace.session.document, self._screen.map.data.found)
        if text:
            QApplication.clipboard().setText(text)
            what = {"picture": "the edited picture", "grid": "the grid", "probe": "the curves"}
            self._note(f"A Python program that makes {what.get(view, 'the map')} again was copied.")
        else:
            self._refuse(self._screen.grid.follower.refusal if view == "grid" else NO_MAP)

    def figure(self, path: Path, view: str, font: QFont) -> None:
        """Save what the view shows as one PNG."""
        if view == "grid":
            self._render_grid(partial(self._write_sheet, path), path)
        elif view == "probe":
            self._measure(path, self._write_chart)
        elif view == "map" and self._screen.map.data.found is None:
            self._refuse(NO_MAP)
        elif view == "map":
            self._save(self._screen.map.canvas.picture(*MAP), path)
        else:
            self._when_compared(partial(self._save_figure, path, font), path)

    def table(self, path: Path, view: str) -> None:
        """Save the numbers of what the view shows as CSV."""
        if view == "grid":
            self._render_grid(partial(self._write_grid_table, path), path)
        elif view == "probe":
            self._measure(path, self._write_curves)
        elif view == "map" and self._screen.map.data.found is None:
            self._refuse(NO_MAP)
        elif view == "map":
            self._screen.map.save_table(path, self._writer)
        else:
            self._when_compared(partial(self._save_attributes, path), path)

    def loop(self, path: Path, fps: float) -> None:
        """Save the path through the ticked pins as a loop; the suffix says the format."""
        pictures = self._screen.picture.path_pictures()
        if pictures is None:
            return
        latents, conditions = pictures
        self._note(f"Rendering {len(latents)} pictures of the path…")

        def write(frame: Frame) -> None:
            from latentlab.operations.sheet import save_loop

            self._writer.write(partial(save_loop, path, _rgb(frame), fps), f"Saved as {path}.")

        self._render(latents, conditions, write, path)

    # Rendering

    def _when_settled(self, taker: SettledListener, failure: str) -> None:
        self._begin()
        self._workspace.rendering.when_settled(partial(self._take, taker), self._lost(failure))

    def _render(
        self,
        latents: NDArray[np.float32],
        condition: NDArray[np.float32] | None,
        taker: Callable[[Frame], None],
        path: Path,
    ) -> None:
        self._begin()
        self._export.render(
            latents, condition, partial(self._take, taker), self._lost(f"{path} was not saved")
        )

    def _take(self, taker: Callable[..., None], *rendered: object) -> None:
        try:
            taker(*rendered)
        finally:
            self._end()

    def _lost(self, failure: str) -> Lost:
        """Return what says that something came to nothing, and why."""

        def tell(why: str, details: str) -> None:
            self._refuse(f"{failure}: {why}", details)
            self._end(whole=False)

        return tell

    # The grid

    def _render_grid(self, taker: Callable[[GridPlan, Frame], None], path: Path) -> None:
        plan, state = self._screen.grid.follower.plan, self._workspace.explore.state
        if plan is not None and state is not None:
            self._render(plan.latents, state.condition, partial(taker, plan), path)
        else:
            self._refuse(self._screen.grid.follower.refusal)

    def _write_sheet(self, path: Path, plan: GridPlan, frame: Frame) -> None:
        def write() -> None:
            from latentlab.data.contact_sheet import save_sheet
            from latentlab.operations.sheet import labelled, sheet

            image = sheet(_rgb(frame), plan.columns)
            save_sheet(
                path, np.array(labelled(image, frame.pixels.shape[1], plan.row_labels, plan.column_labels))
            )

        self._writer.write(write, f"Saved as {path}.")

    def _write_grid_table(self, path: Path, plan: GridPlan, frame: Frame) -> None:
        opened = self._workspace.opened
        if opened is None or opened.predictor is None:
            return
        named = {
            name: {attribute: rows[k] for attribute, rows in frame.attributes.items()}
            for k, name in enumerate(plan.names)
        }
        self._writer.write(
            partial(save_table, path, attribute_rows(opened.predictor, named)), f"Saved as {path}."
        )

    # The probe

    def _measure(self, path: Path, taker: Callable[[Path, Probe, ProbePlan, Attribute], None]) -> None:
        """Call with the curves as they are set now, of settled pictures, which are rendered part by part."""
        page = self._screen.probe
        plan, attribute = page.follower.plan(), page.attribute
        if plan is None or attribute is None:
            self._refuse(page.follower.refusal or NO_CURVES)
            return
        answers: list[dict[str, NDArray[np.float32]]] = []

        def have(frame: Frame) -> None:
            answers.append({name: np.asarray(rows) for name, rows in frame.attributes.items()})
            if len(answers) < len(plan.parts):
                self._render(*plan.parts[len(answers)], have, path)
            else:
                taker(path, plan.measured(answers), plan, attribute)

        self._note(f"Rendering {plan.count:,} pictures along the axis…")
        self._render(*plan.parts[0], have, path)

    def _write_curves(self, path: Path, found: Probe, _plan: ProbePlan, _attribute: Attribute) -> None:
        self._writer.write(partial(found.save_table, path), f"Saved as {path}.")

    def _write_chart(self, path: Path, found: Probe, plan: ProbePlan, attribute: Attribute) -> None:
        page = self._screen.probe
        self._save(page.chart.picture(*CHART, probe=page.drawn(found, plan, attribute)), path)

    # The pictures

    def _when_compared(self, taker: Callable[[Explore, Frame, Compared], None], path: Path) -> None:
        """Call with the settled frame and with what it is compared with now, which is settled too."""
        shelf = self._workspace.session.document.shelf
        pin = shelf.pin(shelf.compared) if shelf.compared else None

        def compare(state: Explore, frame: Frame) -> None:
            if pin is None:
                taker(state, frame, self._screen.comparison.with_start(state))
                return

            def have(found: Frame) -> None:
                taker(state, frame, Compared(pin.name, *picture_of(found, 0), pin=True))

            self._render(pin.latent[None], pin.condition_beside(state.condition), have, path)

        self._when_settled(compare, f"{path} was not saved")

    def _save_attributes(self, path: Path, state: Explore, frame: Frame, compared: Compared) -> None:
        opened = self._workspace.opened
        if opened is None or opened.predictor is None:
            return
        start = self._screen.comparison.with_start(state)
        named = {} if state.source is None else {"input": state.source.encoded.source_attributes}
        named |= {start.name.lower(): start.attributes}
        named |= {f"pin: {compared.name}": compared.attributes} if compared.pin else {}
        named |= {"edited": picture_of(frame, 0)[1]}
        text = table_text(attribute_rows(opened.predictor, named))
        done = f"The attribute table was saved as {path}."
        self._writer.write(lambda: write_whole(path, text), done)

    def _save_figure(self, path: Path, font: QFont, state: Explore, frame: Frame, compared: Compared) -> None:
        opened, stage = self._workspace.opened, self._screen.stage
        if opened is None:
            return
        source = state.source
        seen = None if source is None else bgrx(source.seen)
        start, edited = self._screen.comparison.with_start(state), frame.pixels[0]
        pictures = [
            _picture("Input", "input", seen),
            _picture(start.name, "faint" if compared.pin else "start", start.pixels),
            *([_picture(compared.name, "start", compared.pixels)] if compared.pin else []),
        ]
        if stage.shows_difference and compared.pixels is not None:
            shown = bgrx(difference_picture(compared.pixels[..., 2::-1], edited[..., 2::-1]))
            pictures.append(_picture("Difference", "faint", shown))
        pictures.append(_picture("Edited", "edited", edited))
        series = self._series(state, frame, compared) if opened.predictor is not None else []
        caption = " ".join([self._caption(state), *self._said_of(compared)])
        image = compose(pictures, opened.predictor, series, caption, font, self._smooth(), compared.pin)
        self._save(image, path)

    def _series(self, state: Explore, frame: Frame, compared: Compared) -> list[Series]:
        source = state.source
        found = [] if source is None else [Series("Input", "input", source.encoded.source_attributes)]
        if compared.attributes:
            found.append(Series(compared.name, "start", compared.attributes))
        return [*found, Series("Edited", "edited", picture_of(frame, 0)[1])]

    def _said_of(self, compared: Compared) -> list[str]:
        said = [f"Changes in points since {compared.name}."] if compared.pin else []
        if self._screen.stage.shows_difference:
            said.append(f"Difference from {compared.called}: red where lighter, blue where darker.")
        return said

    def _caption(self, state: Explore) -> str:
        opened = self._workspace.opened
        assert opened is not None
        changed = int((state.start != state.latent).sum())
        parts = [
            f"Model {opened.name} (weights SHA-256 {opened.sha256[:12]}…), {changed} of "
            f"{state.latent.size} latent dimensions changed."
        ]
        if state.condition is not None:
            parts.append(f"Drawn as {', '.join(words(opened.spec.condition, state.condition))}.")
        if state.source is not None:
            parts.append(f"Input: {state.source.title}.")
        elif state.seed is not None:
            parts.append(f"Start: {state.origin}.")
        if opened.predictor is not None:
            parts.append(f"Attributes predicted by {opened.predictor_name}. {origin_note(opened.predictor)}")
            if opened.predictor.confusion:
                parts.append("“errs”: the predictor's error on held-out pictures.")
        return " ".join(parts)

    def _named(self, frame: Frame, state: Explore) -> QImage:
        """Return a frame's picture with a description that travels in the file."""
        image = image_of(frame.pixels[0]).copy()
        image.setText("Software", "LatentLab")
        image.setText("Description", self._caption(state))
        return image

    def _save(self, image: QImage, path: Path) -> None:
        file = QSaveFile(str(path))
        opened = file.open(QIODevice.OpenModeFlag.WriteOnly)
        if opened and QImageWriter(file, QByteArray(b"PNG")).write(image) and file.commit():
            self._note(f"Saved as {path}.")
        else:
            self._refuse(
                f"{path} was not saved: the folder cannot be written to or is missing. Choose another place."
            )


def _picture(title: str, colour: str, pixels: NDArray[np.uint8] | None) -> FigurePicture:
    return FigurePicture(title, colour, None if pixels is None else image_of(pixels).copy())


def _rgb(frame: Frame) -> list[NDArray[np.uint8]]:
    """Return a frame's pictures, uint8 ``[S, S, 3]``, RGB."""
    return [np.ascontiguousarray(pixels[..., 2::-1]) for pixels in frame.pixels]
