"""What a person can do with the condition: choose classes, scale, flip and mix them, and tell the encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentlab import conditions
from latentlab.errors import SettingsError
from latentlab.session.document import Explore
from latentlab.session.session import Session
from latentlab.session.telling import Teller
from latentlab.spec import ConditionSchema, ModelSpec

LOWEST, HIGHEST = -3.0, 3.0
"""The range of the scale's sliders; 1 is as trained."""
_NOTHING = 1e-6
# Weights of which the sum is as small have no shares that could be scaled.


class ConditionIntents:
    """Intents on the decoder's condition and on the encoder's.

    Where the two are linked, what changes at the decoder is told to the encoder in the same step (`Teller`).
    """

    def __init__(self, session: Session, teller: Teller) -> None:
        self._session, self._teller = session, teller
        self._scaled: tuple[ConditionSchema, dict[str, NDArray[np.float32]]] = ConditionSchema(), {}

    @property
    def state(self) -> Explore | None:
        """The Explore screen's state; None where nothing is open or the model is unconditional."""
        state = self._session.document.explore
        return None if state is None or state.condition is None else state

    # The decoder's

    def begin(self, attribute: str) -> None:
        """Begin to drag one of an attribute's sliders: until `end` the moves are one step."""
        self._session.begin_gesture(f"Change {attribute}", _key(attribute))

    def end(self, attribute: str) -> None:
        """End the drag."""
        self._session.end_gesture(_key(attribute))

    def choose(self, spec: ModelSpec, attribute: str, label: str) -> None:
        """Choose one class; its weight becomes the sum of the weights before, or 1 where that is nothing."""
        schema, now = spec.condition, self._condition()
        total = sum(conditions.weights(schema, now, attribute).values())
        scale = total if abs(total) > _NOTHING else 1.0
        choice = {attribute: {label: scale}}
        self._change(f"{attribute}: {label}", conditions.choose(schema, choice, now))

    def scale(self, spec: ModelSpec, attribute: str, scale: float) -> None:
        """Scale an attribute's weights (or set a continuous value): 1 is as trained.

        Weights that sum to nothing have no shares to scale: then the shares that were scaled to nothing
        last are taken, or the attribute's class at the start, or its first.
        """
        now = self._with_shares(spec.condition, attribute)
        self._move(f"Scale {attribute}", attribute, conditions.scaled(spec.condition, now, attribute, scale))

    def weigh(self, spec: ModelSpec, attribute: str, label: str, weight: float) -> None:
        """Set the weight of one class; the others stay: this mixes classes."""
        now = self._condition()
        weights = conditions.weights(spec.condition, now, attribute) | {label: weight}
        found = conditions.choose(spec.condition, {attribute: weights}, now)
        self._move(f"Mix {attribute}", attribute, found)

    def flip(self, spec: ModelSpec, attribute: str) -> None:
        """Hand an attribute's weights on to the next class (`latentlab.conditions.flip`)."""
        found = conditions.flip(spec.condition, self._condition(), attribute)
        self._change(f"Flip {attribute}", found)

    def reset(self, spec: ModelSpec, attribute: str) -> None:
        """Return an attribute to what it is at the start."""
        state = self._open()
        found, where = np.array(state.condition), spec.condition.slice(attribute)
        if state.start_condition is not None:
            found[where] = state.start_condition[where]
            self._change(f"Reset {attribute}", found)

    def set(self, condition: NDArray[np.float32], name: str) -> None:
        """Set the whole condition, ``[C]``, as a step of that name."""
        self._change(name, condition)

    # The encoder's

    def tell(self, spec: ModelSpec, attribute: str, label: str) -> None:
        """Tell the encoder one class of an attribute, "" for nothing; a decoder that is linked is told too.

        What has been wished before and is not answered yet stays.
        """
        state, before, name = self._open(), self._teller.last, f"Tell the encoder {attribute}: "
        choice: dict[str, str | float | Mapping[str, float]] = {attribute: label or {}}
        if spec.condition.attribute(attribute).kind == "continuous":
            choice = {attribute: float(label or 0.0)}
        told = conditions.choose(spec.condition, choice, before)
        if state.linked and before is not None:
            self.set(told, f"{name}{label or 'nothing'}")
        elif not np.array_equal(told, np.asarray(before)):
            self._teller.tell(f"{name}{label or 'nothing'}", told)

    def tell_as_seen(self) -> None:
        """Tell the encoder what the predictor sees in the picture, and a linked decoder in the same step."""
        state = self._open()
        if state.linked and state.source is not None and state.start_condition is not None:
            self.set(state.start_condition, "Tell both what is seen")
        else:
            self._teller.tell("Tell the encoder what is seen", None)

    def link(self, linked: bool) -> None:
        """Tell the encoder what the decoder is told from now on, or leave it."""
        state = self._open()
        if linked == state.linked:
            return
        name = "Link encoder and decoder" if linked else "Unlink encoder and decoder"
        self._session.change(name, replace(self._session.document, explore=replace(state, linked=linked)))

    def _with_shares(self, schema: ConditionSchema, attribute: str) -> NDArray[np.float32]:
        """Return the condition with weights of an attribute that can be scaled, and remember them."""
        now, where = self._condition(), schema.slice(attribute)
        if self._scaled[0] != schema:
            self._scaled = schema, {}
        shares = self._scaled[1]
        if schema.attribute(attribute).kind == "continuous":
            return now
        if abs(now[where].sum()) > _NOTHING:
            shares[attribute] = now[where]
            return now
        found = conditions.choose(schema, {attribute: self._usual(schema, self._open(), attribute)}, now)
        found[where] = shares.get(attribute, found[where])
        return found

    def _usual(self, schema: ConditionSchema, state: Explore, attribute: str) -> str:
        if state.start_condition is not None:
            weights = conditions.weights(schema, state.start_condition, attribute)
            label = max(weights, key=lambda one: weights[one])
            if weights[label] > 0:
                return label
        return schema.attribute(attribute).classes[0]

    def _move(self, name: str, attribute: str, condition: NDArray[np.float32]) -> None:
        """Change while a slider moves: steps that follow closely are one."""
        state, kept = self._open(), _kept(condition)
        if np.array_equal(kept, self._condition()):
            return
        explore = replace(state, condition=kept)
        self._session.change(name, replace(self._session.document, explore=explore), _key(attribute))

    def _change(self, name: str, condition: NDArray[np.float32]) -> None:
        state, kept = self._open(), _kept(condition)
        if not np.array_equal(kept, self._condition()):
            explore = replace(state, condition=kept)
            self._session.change(name, replace(self._session.document, explore=explore))

    def _condition(self) -> NDArray[np.float32]:
        condition = self._open().condition
        assert condition is not None
        return condition

    def _open(self) -> Explore:
        state = self.state
        if state is None:
            raise SettingsError("The open model is unconditional: there is nothing to scale, flip or mix.")
        return state


def _key(attribute: str) -> str:
    return f"condition {attribute}"


def _kept(condition: NDArray[np.float32]) -> NDArray[np.float32]:
    kept = np.array(condition, dtype=np.float32)
    kept.setflags(write=False)
    return kept
