"""What a study is asked: the study, its own fields, where the results go; and its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from latentlab.audit.study_plan import STUDIES, Study, StudyRequest
from latentlab.session.audit_choices import MOST_IMAGES, Choices
from latentlab.session.document import AuditView
from latentlab.ui.widgets.audit_fields import (
    ChecksField,
    ChoiceField,
    CountField,
    Field,
    ModelField,
    NumbersField,
    SetField,
    ShareField,
    TextField,
    shown_name,
)
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.fields_form import FieldsForm
from latentlab.ui.widgets.form import caption

OWN_PREDICTOR = ("The model's own", "Own")
USUAL_PREDICTOR = ("The set's usual one", "Usual")
REFERENCES = {"uniform": "uniform: all classes alike", "training": "training: the set trained on"}


class AuditForm(FieldsForm):
    """Sends what is wished for, and the wishes to begin and stop; ``study_chosen`` tells a study's name."""

    study_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Start", "study", "Where tables, charts and report go; empty keeps them aside", parent
        )
        self._view = AuditView()
        self.study = ComboBox()
        self.study.setAccessibleName("Study")
        self.study.setToolTip("What is asked of the model")
        for name, kind in STUDIES.items():
            self.study.addItem(kind.title, name)
        self.purpose = caption("")
        self.purpose.setWordWrap(True)
        self._lay_out()
        self.study.activated.connect(lambda _index: self._choose_study())

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(4)
        column.addWidget(caption("Study", self.study))
        column.addWidget(self.study)
        column.addWidget(self.purpose)
        column.addSpacing(6)
        self._asked = QVBoxLayout()
        self._asked.setSpacing(4)
        column.addLayout(self._asked)
        self._add_results(column)
        column.addStretch(1)
        self._put_together(inner, self._buttons())

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        asked = [control for field in self.fields.values() for control in field.controls]
        return [self.study, *asked, self.out, self.browse, self.start, self.stop]

    def show_view(self, view: AuditView, asked: StudyRequest, choices: Choices) -> None:
        """Show how it is set.

        Parameters
        ----------
        asked
            As in the view, but with the open model and the usual number in their places.
        """
        self._view = view
        kind = STUDIES[asked.study]
        self._build(asked.study, ((name, _MAKERS[name](kind), self._asked) for name in kind.fields))
        with QSignalBlocker(self.study):
            self.study.setCurrentIndex(self.study.findData(asked.study))
        self.purpose.setText(kind.purpose)
        self._offer(kind, asked, choices)
        for name, field in self.fields.items():
            field.show_value(getattr(asked, name))  # type: ignore[attr-defined]  # each field's own type
        self.show_out(view.out)

    def _offer(self, kind: Study, asked: StudyRequest, choices: Choices) -> None:
        fitting = {
            name: facts.name
            for name, facts in choices.models.items()
            if name in asked.models or not facts.misfit(kind)
        }
        own, short = OWN_PREDICTOR if "models" in kind.fields else USUAL_PREDICTOR
        judged = f"{short}: {choices.judge}" if choices.judge and not asked.predictor else own
        predictors = {"": judged}
        predictors |= {name: name for name in choices.predictors}
        if asked.predictor:
            predictors.setdefault(asked.predictor, Path(asked.predictor).name)
        two = {name: shown_name(name) for name, classes in choices.attributes.items() if len(classes) == 2}
        offers: dict[str, Mapping[str, str]] = {
            "models": fitting,
            "data": {name: name for name in choices.sets},
            "reference": REFERENCES | {name: name for name in choices.sets},
            "attributes": {name: shown_name(name) for name in choices.attributes},
            "groups": {name: shown_name(name) for name in choices.groups},
            "onto": {name: name for name in choices.datasets},
            "predictor": predictors,
            "ratio_attribute": two,
        }
        for name, field in self.fields.items():
            if name in offers:
                field.offer(offers[name])  # type: ignore[attr-defined]  # those that offer names
        self._order()

    def _choose_study(self) -> None:
        chosen = self.study.currentData()
        with QSignalBlocker(self.study):
            self.study.setCurrentIndex(self.study.findData(self._view.asked.study))
        self.study_chosen.emit(chosen)


def _models(kind: Study) -> Field:
    tip, button = "Audit {}", "Choose a checkpoint's folder"
    if kind.several_models:
        return ChecksField("Models", tip, all_by_none=False, button=button)
    return ModelField("Model", "The model that is audited", button)


def _n(kind: Study) -> Field:
    title = kind.n_means[:1].upper() + kind.n_means[1:]
    return CountField(title, f"How many {kind.n_means}; more make the intervals narrower", MOST_IMAGES)


_MAKERS: Mapping[str, Callable[[Study], Field]] = {
    "models": _models,
    "data": lambda kind: SetField(
        "Set" if "models" in kind.fields else "Trained on",
        "Labelled images: a set by its name, or a folder",
        "Choose a folder of labelled images",
    ),
    "reference": lambda _kind: SetField(
        "Compared with",
        "What shares ought to be: uniform, those of the set trained on, or of another set",
        "Choose a folder to compare with",
    ),
    "n": _n,
    "seeds": lambda _kind: NumbersField("Seeds", "One run each, by commas", True, "0, 1, 2"),
    "attributes": lambda _kind: ChecksField("Attributes", "Count {}", all_by_none=True),
    "groups": lambda _kind: ChecksField(
        "Groups (none ticked: the usual ones)", "Let {} be part of the groups", all_by_none=False
    ),
    "condition": lambda _kind: TextField(
        "Condition",
        "What a conditional model is told, such as gender=female; without it the reference's own labels",
        "as the reference",
    ),
    "truncation": lambda _kind: ShareField("Truncation", "What every drawn z is multiplied by"),
    "truncations": lambda _kind: NumbersField(
        "Truncations", "What every drawn z is multiplied by, by commas", False, "1, 0.7, 0.5"
    ),
    "scales": lambda _kind: NumbersField(
        "Scales of the condition", "What the condition is multiplied by, by commas", False, "1, 2, 3"
    ),
    "ratio_attribute": lambda _kind: ChoiceField(
        "Attribute whose share varies", "An attribute of two classes; the share is of its first class"
    ),
    "ratios": lambda _kind: NumbersField(
        "Shares of its first class", "One training each, by commas", False, "0.52, 0.5, 0.4"
    ),
    "onto": lambda _kind: ChecksField("Projected onto", "Project onto {}", all_by_none=True),
    "predictor": lambda _kind: ChoiceField(
        "Judge", "The attribute predictor that judges the images", "Choose a predictor's folder"
    ),
}
