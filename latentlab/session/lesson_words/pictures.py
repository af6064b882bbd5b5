"""The words that open models and pictures, show screens, and begin what goes on in the background."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from latentlab.errors import SettingsError
from latentlab.operations.painting import Brush
from latentlab.paths import bundled_models
from latentlab.session.document import CheckpointRef
from latentlab.session.explore import start_in_the_middle
from latentlab.session.lesson_words.arguments import Argument, Given, text
from latentlab.session.lesson_words.foresight import place_of_model, spec_of_model
from latentlab.session.lesson_words.word import Foreseen, Stage, Word, path_beside
from latentlab.session.sample_pictures import sample_pictures, sample_title

VIEWS = {
    "explore": ("picture", "grid", "probe", "map"),
    "counterfactuals": (),
    "analogies": ("projections", "samples", "many"),
    "audit": (),
    "search": (),
    "train": (),
}
"""The screens, and the views of those that have several."""
BEGINNINGS = {"search": "search", "study": "audit", "many": "analogies"}
"""What a lesson can begin, and on which screen that is seen. A training is begun by people only."""
MOST_HASHED = 2**26
"""Bytes of weights that are read in a moment, to see whether they are still those that are open."""
_COLOUR = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


def _open(stage: Stage, given: Given) -> None:
    workspace = stage.workspace
    document, opened = workspace.session.document, workspace.opened
    if document.explore is not None and opened is not None:
        # The picture that is open would be encoded by the next model too.
        bare = replace(document, explore=start_in_the_middle(opened.spec))
        workspace.session.change("Leave the picture", bare)
    path, predictor = place_of_model(stage.folder, given["model"]), given.get("predictor")
    judge = "" if predictor == "none" else predictor and place_of_model(stage.folder, predictor)
    if not _is_open(document.checkpoint, path, judge):
        workspace.open_checkpoint(path, judge)


def _is_open(reference: CheckpointRef | None, path: str, judge: str | None) -> bool:
    """Whether a model is open already, judged as is wanted (None: as usual).

    A foreign or a large one never is: opening it anew holds nobody up, finding out what it is would.
    """
    from latentlab.checkpoints import locate
    from latentlab.checkpoints.companion import shown_predictor
    from latentlab.checkpoints.native import CONFIG, WEIGHTS

    folder = Path(path)
    if reference is None or Path(reference.path).resolve() != folder.resolve():
        return False
    if judge is not None and judge != reference.predictor:
        return False
    weights = folder / WEIGHTS
    if not ((folder / CONFIG).is_file() and weights.is_file() and weights.stat().st_size <= MOST_HASHED):
        return False
    located = locate(path)
    wanted = shown_predictor(located) if judge is None else judge
    return reference.predictor == wanted and reference.sha256 == located.sha256()


def _foresee_open(foreseen: Foreseen, given: Given) -> None:

    name = given["model"]
    foreseen.spec, foreseen.model, foreseen.picture = spec_of_model(foreseen.folder, name), name, False
    foreseen.pins.clear()
    foreseen.directions.clear()
    foreseen.used.update({name} & set(bundled_models()))
    judge = given.get("predictor", "none")
    foreseen.judge = "" if judge == "none" else judge
    if judge != "none":
        from latentlab.checkpoints import locate

        if locate(place_of_model(foreseen.folder, judge)).config.kind != "predictor":
            raise SettingsError(f"an attribute predictor is expected; {judge} is none")


def _foresee_screen(foreseen: Foreseen, given: Given) -> None:
    screen, view = given["name"], given.get("view", "")
    if view and view not in VIEWS[screen]:
        known = " or ".join(VIEWS[screen]) or "no views: leave it out"
        raise SettingsError(f"the screen {screen} has {known}; found {view!r}")
    foreseen.screen = screen


def _sample_path(name: str) -> Path:
    known = {path.stem: path for path in sample_pictures()}
    if name not in known:
        raise SettingsError(f"a sample picture is expected ({', '.join(known)}); found {name!r}")
    return known[name]


def _sample(stage: Stage, given: Given) -> None:
    path = _sample_path(given["name"])
    stage.workspace.bring_file(path, sample_title(path))


def _foresee_sample(foreseen: Foreseen, given: Given) -> None:
    _sample_path(given["name"])
    _need_encoder(foreseen)


def _picture(stage: Stage, given: Given) -> None:
    stage.workspace.bring_file(stage.path_of(given["file"]))


def _foresee_picture(foreseen: Foreseen, given: Given) -> None:
    path = Path(path_beside(foreseen.folder, given["file"]))
    if not path.is_file():
        raise SettingsError(f"a picture's file beside the lesson is expected; there is no {path}")
    _need_encoder(foreseen)


def _need_encoder(foreseen: Foreseen) -> None:
    spec = foreseen.open_spec
    if "encode" in spec.cannot:
        raise SettingsError(
            f"a model that encodes pictures is expected; {foreseen.model} cannot: {spec.cannot['encode']}"
        )
    foreseen.picture = True


def _brush(stage: Stage, given: Given) -> None:
    painting, points = stage.intents.painting, given["points"]
    brush = Brush(given.get("radius", 3.0), given.get("hardness", 0.8))
    painting.begin(given.get("tool", "brush"), points[0], brush, _colour_of(given))
    for point in points[1:]:
        painting.draw_to(point)
    painting.end()


def _colour_of(given: Given) -> tuple[int, int, int]:
    said = given.get("colour", "#000000")
    found = _COLOUR.fullmatch(said)
    if found is None:
        raise SettingsError(f'colour should be a colour such as "#ff8000", in quotes; found {said!r}')
    red, green, blue = (int(part, 16) for part in found.groups())
    return red, green, blue


def _foresee_brush(foreseen: Foreseen, given: Given) -> None:
    _colour_of(given)
    size = foreseen.open_spec.image_size
    for x, y in given["points"]:
        if not (0 <= x <= size and 0 <= y <= size):
            raise SettingsError(
                f"places inside the model's pictures are expected, 0 to {size}; found [{x:g}, {y:g}]"
            )


def _foresee_begin(foreseen: Foreseen, given: Given) -> None:
    what = given["what"]
    if foreseen.screen != BEGINNINGS[what]:
        raise SettingsError(
            f"the screen {BEGINNINGS[what]} is expected to be shown when a {what} is begun; give "
            f"'screen: {BEGINNINGS[what]}' before"
        )
    if what == "search" and not foreseen.picture:
        raise SettingsError("a picture is expected that is searched for; give 'sample' before")


WORDS = (
    Word(
        "open",
        "everywhere",
        "Opens a model: its middle of the prior, without a picture.",
        (
            text("model", "a bundled one, or a path beside the lesson", required=True),
            text("predictor", "who judges in place of the usual one; none for nobody"),
        ),
        _open,
        _foresee_open,
        needs="nothing",
    ),
    Word(
        "screen",
        "everywhere",
        "Shows a screen, and one of its views.",
        (
            Argument("name", "choice", "the screen", True, choices=tuple(VIEWS)),
            text("view", "of explore: picture, grid, probe, map; of analogies: projections, samples, many"),
        ),
        None,
        _foresee_screen,
        needs="nothing",
    ),
    Word(
        "sample",
        "everywhere",
        "Opens a bundled sample picture.",
        (text("name", "the file's, such as face-0012", required=True),),
        _sample,
        _foresee_sample,
    ),
    Word(
        "picture",
        "everywhere",
        "Opens a picture that lies beside the lesson.",
        (text("file", "its file", required=True),),
        _picture,
        _foresee_picture,
    ),
    Word(
        "brush",
        "analogies",
        "Draws a stroke on the input.",
        (
            Argument("points", "points", "its way, in pixels of the model's pictures", True),
            Argument("radius", "number", "in pixels", least=0.5, most=64),
            Argument("hardness", "number", "of the edge", least=0.0, most=1.0),
            text("colour", 'such as "#ff8000"'),
            Argument("tool", "choice", "what it leaves", choices=("brush", "eraser", "blur")),
        ),
        _brush,
        _foresee_brush,
        needs="picture",
    ),
    Word(
        "begin",
        "everywhere",
        "Begins the search, the study, or the projections of many pictures, as they are set.",
        (Argument("what", "choice", "which", True, choices=tuple(BEGINNINGS)),),
        None,
        _foresee_begin,
        needs="nothing",
    ),
)
