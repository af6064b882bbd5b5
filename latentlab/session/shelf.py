"""What a person puts aside for the open model: pins, directions, groups, locks; and how the views are set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction, difference_direction
from latentlab.session.document import (
    AxisRef,
    CounterfactualView,
    Explore,
    GridView,
    Group,
    ManyView,
    MapView,
    PathView,
    Pin,
    ProbeView,
    ProjectionView,
    SamplesView,
    SearchView,
    Shelf,
)
from latentlab.session.session import Session
from latentlab.spec import ModelSpec


class ShelfIntents:
    """Changes the shelf of the open model, each change a named step.

    What is put aside is known by its name; a name that is taken gets a number.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def shelf(self) -> Shelf:
        """The shelf as it is now."""
        return self._session.document.shelf

    # Pins

    def pin(self, latent: NDArray[np.float32] | None = None, name: str = "") -> str:
        """Put a latent aside (the edited one without), and return what the pin is called."""
        state = self._open_state()
        kept = np.array(state.latent if latent is None else latent, dtype=np.float32)
        kept.setflags(write=False)
        name = free_name(name or "Pin", (pin.name for pin in self.shelf.pins), numbered=not name)
        pin = Pin(name, kept, state.condition)
        self._change(f"Pin {name}", pins=(*self.shelf.pins, pin))
        return name

    def go_to_pin(self, name: str) -> None:
        """Edit the latent of a pin, under its condition; the start stays, unless the encoder is told too."""
        pin, state = self.shelf.pin(name), self._open_state()
        if pin is None:
            return
        condition = pin.condition_beside(state.condition)
        same = condition is None or state.condition is None or np.array_equal(condition, state.condition)
        if not (same and np.array_equal(pin.latent, state.latent)):
            document = self._session.document
            explore = replace(state, latent=pin.latent, condition=condition)
            self._session.change(f"Go to {name}", replace(document, explore=explore))

    def remove_pin(self, name: str) -> None:
        """Take a pin away."""
        compared = "" if self.shelf.compared == name else self.shelf.compared
        pins = tuple(pin for pin in self.shelf.pins if pin.name != name)
        self._change(f"Remove {name}", pins=pins, compared=compared)

    def rename_pin(self, name: str, new: str) -> None:
        """Call a pin otherwise.

        Raises
        ------
        SettingsError
            If the new name is empty or taken.
        """
        if new == name:
            return
        check_name(new, (pin.name for pin in self.shelf.pins))
        pins = tuple(replace(pin, name=new) if pin.name == name else pin for pin in self.shelf.pins)
        compared = new if self.shelf.compared == name else self.shelf.compared
        samples = with_pin_renamed(self.shelf.samples, name, new)
        self._change(f"Rename {name}", pins=pins, compared=compared, samples=samples)

    def tick_pin(self, name: str, ticked: bool) -> None:
        """Use a pin together with the other ticked ones, or not."""
        pins = tuple(
            replace(pin, ticked=ticked) if pin.name == name and pin.ticked != ticked else pin
            for pin in self.shelf.pins
        )
        self._change(f"{'Use' if ticked else 'Leave out'} {name}", pins=pins)

    def move_pin(self, name: str, by: int) -> None:
        """Move a pin earlier (negative) or later in the order in which a path passes the pins."""
        pins = list(self.shelf.pins)
        here = next((k for k, pin in enumerate(pins) if pin.name == name), None)
        if here is not None:
            there = min(max(0, here + by), len(pins) - 1)
            pins.insert(there, pins.pop(here))
            self._change(f"Move {name}", pins=tuple(pins))

    def compare_with(self, name: str) -> None:
        """Let bars and difference compare with a pin; the empty name for the start."""
        self._change(f"Compare with {name or 'the start'}", compared=name)

    # Directions

    def add_directions(
        self, directions: Sequence[Direction], what: str = "", lead: bool = False
    ) -> list[str]:
        """Add directions; one whose name is taken gets a number. Return what they are called.

        Parameters
        ----------
        what
            The name of the step.
        lead
            Whether grid and probe show them, as far as they are set to nothing else: where one entry of the
            latent means nothing by itself.
        """
        known = {one.name for one in self.shelf.directions}
        added = []
        for one in directions:
            name = free_name(one.name, known)
            known.add(name)
            added.append(one.model_copy(update={"name": name}))
        if added:
            names = added[0].name if len(added) == 1 else f"{len(added)} directions"
            views = self._led_by([one.name for one in added]) if lead else {}
            self._change(what or f"Add {names}", None, directions=(*self.shelf.directions, *added), **views)
        return [one.name for one in added]

    def _led_by(self, names: Sequence[str]) -> dict[str, object]:
        """Return grid and probe as these directions lead them, where they are set to nothing."""
        shelf, axes = self.shelf, tuple(AxisRef(direction=name) for name in names)
        views: dict[str, object] = {}
        if not shelf.grid.axes:
            views["grid"] = replace(shelf.grid, axes=axes)
        if shelf.probe.axis == ProbeView().axis:
            views["probe"] = replace(shelf.probe, axis=axes[0])
        return views

    def replace_directions(self, directions: Sequence[Direction], what: str) -> None:
        """Put other directions in the place of all."""
        self._change(what, directions=tuple(directions))

    def add_difference(self, spec: ModelSpec, first: Pin | Group, second: Pin | Group, name: str = "") -> str:
        """Add the direction from one pin or group to another, and return what it is called.

        Raises
        ------
        SettingsError
            If both are at the same place.
        """
        name = name or f"{first.name} to {second.name}"
        origin = f"from {_described(first)} to {_described(second)}"
        made = difference_direction(spec, _place(first), _place(second), name, origin)
        return self.add_directions([made])[0]

    def remove_direction(self, name: str) -> None:
        """Take a direction away; views that were set to it go back to what they show by default."""
        shelf = self.shelf
        kept = tuple(axis for axis in shelf.grid.axes if axis.direction != name)
        self._change(
            f"Remove {name}",
            directions=tuple(one for one in shelf.directions if one.name != name),
            grid=shelf.grid if kept == shelf.grid.axes else replace(shelf.grid, axes=kept),
            probe=ProbeView(attribute=shelf.probe.attribute)
            if shelf.probe.axis.direction == name
            else shelf.probe,
        )

    def rename_direction(self, name: str, new: str) -> None:
        """Call a direction otherwise, also where views are set to it.

        Raises
        ------
        SettingsError
            If the new name is empty or taken.
        """
        if new == name:
            return
        shelf = self.shelf
        check_name(new, (one.name for one in shelf.directions))
        renamed = tuple(
            one.model_copy(update={"name": new}) if one.name == name else one for one in shelf.directions
        )
        axes = tuple(
            replace(axis, direction=new) if axis.direction == name else axis for axis in shelf.grid.axes
        )
        probe = shelf.probe
        if probe.axis.direction == name:
            probe = replace(probe, axis=replace(probe.axis, direction=new))
        self._change(f"Rename {name}", directions=renamed, grid=replace(shelf.grid, axes=axes), probe=probe)

    def set_reach(self, name: str, reach: float) -> None:
        """Explore a direction that many sigma to either side."""
        changed = tuple(
            one.model_copy(update={"reach": reach}) if one.name == name else one
            for one in self.shelf.directions
        )
        self._change(f"Set the range of {name}", key=f"reach {name}", directions=changed)

    # Groups

    def add_group(
        self,
        mean: NDArray[np.float32],
        count: int,
        name: str = "",
        data: str = "",
        rows: NDArray[np.int64] | None = None,
    ) -> str:
        """Keep a group by its mean, float32 ``[*latent_shape]``, and return what it is called."""
        kept = np.array(mean, dtype=np.float32)
        kept.setflags(write=False)
        name = free_name(name or "Group", (group.name for group in self.shelf.groups), numbered=not name)
        chosen = np.zeros(0, dtype=np.int64) if rows is None else np.asarray(rows, dtype=np.int64)
        self._change(f"Make {name}", groups=(*self.shelf.groups, Group(name, kept, count, data, chosen)))
        return name

    def group_ticked_pins(self) -> str:
        """Make a group of the ticked pins.

        Raises
        ------
        SettingsError
            If no pin is ticked.
        """
        ticked = [pin for pin in self.shelf.pins if pin.ticked]
        if not ticked:
            raise SettingsError("No pin is ticked. Tick the pins that should be a group.")
        mean = np.stack([pin.latent for pin in ticked]).mean(0, dtype=np.float64)
        return self.add_group(np.asarray(mean, dtype=np.float32), len(ticked))

    def remove_group(self, name: str) -> None:
        """Take a group away."""
        self._change(f"Remove {name}", groups=tuple(one for one in self.shelf.groups if one.name != name))

    def rename_group(self, name: str, new: str) -> None:
        """Call a group otherwise.

        Raises
        ------
        SettingsError
            If the new name is empty or taken.
        """
        if new == name:
            return
        check_name(new, (group.name for group in self.shelf.groups))
        groups = tuple(replace(one, name=new) if one.name == name else one for one in self.shelf.groups)
        self._change(f"Rename {name}", groups=groups)

    def go_to_group(self, name: str) -> None:
        """Edit the mean latent of a group; the start stays."""
        group, state = self.shelf.group(name), self._open_state()
        if group is not None and not np.array_equal(group.mean, state.latent):
            explore = replace(state, latent=group.mean)
            self._session.change(f"Go to {name}", replace(self._session.document, explore=explore))

    # Locks and views

    def lock(self, dimensions: Collection[int], locked: bool) -> None:
        """Keep dimensions as they are, or let them change again."""
        before = self.shelf.locked
        after = before | set(dimensions) if locked else before - set(dimensions)
        which = f"dimension {next(iter(dimensions))}" if len(dimensions) == 1 else "dimensions"
        self._change(f"{'Lock' if locked else 'Unlock'} {which}", locked=frozenset(after))

    def set_grid(self, view: GridView) -> None:
        """Show that in the grid."""
        self._set_view("Set the grid", "grid", view)

    def set_path(self, view: PathView) -> None:
        """Let the path go so."""
        self._set_view("Set the path", "path", view)

    def set_counterfactual(self, view: CounterfactualView, key: str | None = None) -> None:
        """Show other counterfactuals; while a slider moves, its ``key`` makes its moves one step."""
        self._change("Set the counterfactuals", key, counterfactual=view)

    def set_projection(self, view: ProjectionView, key: str | None = None) -> None:
        """Project otherwise onto datasets; while the slider moves, its ``key`` makes its moves one step."""
        self._change("Set the analogies", key, projection=view)

    def set_samples(self, view: SamplesView, name: str = "Set the samples", key: str | None = None) -> None:
        """Show other samples; while a slider moves, its ``key`` makes its moves one step."""
        self._change(name, key, samples=view)

    def set_search(self, view: SearchView, name: str = "Set the search", key: str | None = None) -> None:
        """Search otherwise, or show something else of it; changes of one ``key`` make one step."""
        self._change(name, key, search=view)

    def set_many(self, view: ManyView) -> None:
        """Project other pictures together, or others ways, or show something else of it."""
        self._change("Set the many pictures", many=view)

    def set_probe(self, view: ProbeView) -> None:
        """Show that in the probe."""
        self._set_view("Set the probe", "probe", view)

    def set_map(self, view: MapView) -> None:
        """Show that on the map."""
        self._set_view("Set the map", "map", view)

    def _set_view(self, what: str, field: str, view: object) -> None:
        self._change(what, key=field, **{field: view})

    def _change(self, name: str, key: str | None = None, **fields: object) -> None:
        self._open_state()
        if all(getattr(self.shelf, field) == value for field, value in fields.items()):
            return  # a step that changes nothing would be undone without one seeing anything
        shelf = replace(self.shelf, **fields)  # type: ignore[arg-type]  # the callers name its own fields
        self._session.change(name, self._session.document.with_shelf(shelf), key)

    def _open_state(self) -> Explore:
        state = self._session.document.explore
        if state is None:
            raise SettingsError("No model is open; open a checkpoint first.")
        return state


def free_name(name: str, taken: Iterable[str], numbered: bool = False) -> str:
    """Return a name that is not taken: the name itself, or with the first free number after it."""
    known = set(taken)
    if not numbered and name not in known:
        return name
    number = 1 if numbered else 2
    while f"{name} {number}" in known:
        number += 1
    return f"{name} {number}"


def check_name(name: str, taken: Iterable[str]) -> None:
    """Raise `SettingsError` if a name is empty or taken."""
    if not name.strip():
        raise SettingsError("A name has at least one letter.")
    if name in set(taken):
        raise SettingsError(f"There is a {name} already. Choose another name.")


def with_pin_renamed(view: SamplesView, name: str, new: str) -> SamplesView:
    """Return how the samples are set where a pin is called otherwise."""
    strip = view.strip
    start, end = (replace(ref, pin=new) if ref.pin == name else ref for ref in (strip.start, strip.end))
    return replace(view, strip=replace(strip, start=start, end=end))


def _place(one: Pin | Group) -> NDArray[np.float32]:
    return one.latent if isinstance(one, Pin) else one.mean


def _described(one: Pin | Group) -> str:
    return one.name if isinstance(one, Pin) else f"the mean of {one.name} ({one.count})"
