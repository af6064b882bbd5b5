"""Read a pickle as data: plain values and containers, and a placeholder for whatever would be code.

A pickle is a program for a small stack machine, two of whose instructions import and call anything. This
reader takes the instructions apart with the standard library's disassembler (``pickletools``) and carries
out the harmless ones itself. A global becomes a `Global`, its name only; calling one gives an `Inert`, or
what the caller's own table says for names that it knows. Nothing is imported, nothing is called.

How much a pickle may ask for is bounded, in bytes and in instructions, so that it cannot fill the memory.
"""

from __future__ import annotations

import io
import pickletools
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentlab.errors import CheckpointError

LARGEST_PICKLE = 32_000_000
"""The most bytes of a pickle that are read; those of checkpoints have some hundred thousand."""
MOST_STEPS = 600_000
"""The most steps: instructions, and entries of what a known call is given; a tensor takes about sixty."""
_LONGEST_NAME = 120
_LONGEST_WHOLE, _LONGEST_WHOLE_KEY = 128, 60
_LONGEST_ROW = 16
_LONGEST_GLOBAL = 1000
_LONGEST_PATH = 200
_MALFORMED = (ValueError, IndexError, OverflowError, struct.error, TypeError, Warning)


def shown(value: object) -> str:
    """Return a value from a file as it may stand in a message: printable, on one line, not too long.

    Containers are only shown where they are a few whole numbers: within a pickle they can be endless.
    """
    if isinstance(value, list | tuple):
        plain = len(value) <= _LONGEST_ROW and all(type(entry) is int for entry in value)
        text = str(list(value)) if plain else f"a {type(value).__name__} of {len(value):,} entries"
    elif value is None or isinstance(value, str | bytes | int | float):
        text = str(value[: 2 * _LONGEST_NAME] if isinstance(value, str | bytes) else value)
    elif isinstance(value, Exception):
        text = str(value)
    elif isinstance(value, Global | Inert):
        text = f"an object of {value.name[:_LONGEST_NAME]}, which was not loaded"
    else:
        text = f"a {type(value).__name__}"
    clean = text.encode("unicode_escape").decode("ascii")
    return clean if len(clean) <= _LONGEST_NAME else f"{clean[: _LONGEST_NAME - 3]}..."


@dataclass(frozen=True)
class Global:
    """A class or function that a pickle names, by its dotted name; it was not imported."""

    name: str


@dataclass(eq=False)
class Inert:
    """What calling a `Global` would have made, with what it was given; it was not called.

    ``items`` and ``entries`` are what was put into it as into a dict and as into a list, ``state`` what it
    would have been set to. So the settings that a training kept in a class of its own can be read.
    """

    name: str
    arguments: tuple[object, ...] = ()
    items: dict[object, object] = field(default_factory=dict)
    entries: list[object] = field(default_factory=list)
    state: object = None


Handler = Callable[[tuple[Any, ...]], object]
"""Makes a plain value of the arguments of a call that is known to be harmless; ValueError if they are not."""


class _Stop(Exception):  # noqa: N818 - it is the end, not a fault
    """The end of the pickle."""


class PlainPickle:
    """A machine for one pickle.

    Parameters
    ----------
    where
        The file, for messages.
    handlers
        What stands in for calls of globals that are known, by dotted name.
    persistent
        What a persistent identifier stands for; raises ValueError for one that it does not know.
    """

    def __init__(
        self, where: Path, handlers: Mapping[str, Handler], persistent: Callable[[object], object]
    ) -> None:
        self.where = where
        self.globals: dict[str, int] = {}
        self._steps = 0
        self._handlers, self._persistent = handlers, persistent
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, object] = {}

    def run(self, stream: io.BytesIO) -> object:
        """Return what the pickle that begins at the stream's position holds, and leave it at its end.

        Raises
        ------
        CheckpointError
            If it is malformed, asks for too much, or uses an instruction that plain files never do.
        """
        place = stream.tell()
        operations = pickletools.genops(stream)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in old text
                for operation, argument, position in operations:
                    place = position or 0
                    self._spend(1)
                    self._step(operation.name, argument)
        except _Stop as stop:
            return stop.args[0]
        except _MALFORMED as error:
            raise CheckpointError(
                f"{self.where} is damaged: a known instruction of a pickle was expected at byte {place:,}, "
                f"found: {shown(error)}. Download or copy it again."
            ) from None
        raise CheckpointError(f"{self.where} is truncated: its pickle has no end. Download it again.")

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise CheckpointError(
                f"{self.where}: its pickle should need at most {MOST_STEPS:,} steps; it needs more, as no "
                "checkpoint does. It was not read further."
            )

    def _step(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _VALUES:
            self._stack.append(_checked(argument))
        elif name in _EMPTY:
            self._stack.append(_EMPTY[name]())
        else:
            method = _METHODS.get(name)
            if method is None:
                raise ValueError(f"the instruction {name}")
            method(self, argument)

    def _pop(self) -> Any:
        if not self._stack:
            raise ValueError("a value is missing")
        return self._stack.pop()

    def _top(self) -> Any:
        if not self._stack:
            raise ValueError("a value is missing")
        return self._stack[-1]

    def _mark(self, _: object) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _marked(self) -> list[Any]:
        if not self._below:
            raise ValueError("a mark is missing")
        found, self._stack = self._stack, self._below.pop()
        return found

    def _pop_one(self, _: object) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._marked()

    def _drop_marked(self, _: object) -> None:
        self._marked()

    def _stop(self, _: object) -> None:
        raise _Stop(self._pop())

    def _duplicate(self, _: object) -> None:
        self._stack.append(self._top())

    def _put(self, argument: int) -> None:
        self._memo[argument] = self._top()

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._top()

    def _get(self, argument: int) -> None:
        if argument not in self._memo:
            raise ValueError(f"the memo has no entry {argument}")
        self._stack.append(self._memo[argument])

    def _tuple(self, count: int) -> None:
        if len(self._stack) < count:
            raise ValueError("a value is missing")
        found = tuple(self._stack[-count:])
        del self._stack[-count:]
        self._stack.append(found)

    def _tuple_of_marked(self, _: object) -> None:
        found = tuple(self._marked())
        self._stack.append(found)

    def _list_of_marked(self, _: object) -> None:
        found = self._marked()
        self._stack.append(found)

    def _dict_of_marked(self, _: object) -> None:
        found: dict[object, object] = {}
        self._fill(found, self._marked())
        self._stack.append(found)

    def _append(self, _: object) -> None:
        value = self._pop()
        self._extend(self._top(), [value])

    def _appends(self, _: object) -> None:
        values = self._marked()
        self._extend(self._top(), values)

    def _extend(self, target: object, values: list[object]) -> None:
        if isinstance(target, Inert):
            target.entries += values
        elif isinstance(target, list):
            target += values
        else:
            raise ValueError(f"an entry for a {type(target).__name__}")

    def _set_item(self, _: object) -> None:
        value, key = self._pop(), self._pop()
        self._fill(self._top(), [key, value])

    def _set_items(self, _: object) -> None:
        values = self._marked()
        self._fill(self._top(), values)

    def _fill(self, target: object, values: list[Any]) -> None:
        into = target.items if isinstance(target, Inert) else target
        if not isinstance(into, dict):
            raise ValueError(f"an item for a {type(target).__name__}")
        if len(values) % 2:
            raise ValueError("a key without a value")
        for given, value in zip(values[::2], values[1::2], strict=True):
            key = _as_key(given)
            if key in into:
                raise CheckpointError(
                    f"{self.where}: each name should stand once in a dict; {shown(key)!r} stands twice. "
                    "It was not written by a training; download it again from its source."
                )
            into[key] = value

    def _name_global(self, argument: str) -> None:
        self._push_global(argument.replace(" ", "."))

    def _name_stacked_global(self, _: object) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("a global whose name is no text")
        if len(module) + len(name) > _LONGEST_GLOBAL:
            raise ValueError(f"a global whose name has more than {_LONGEST_GLOBAL:,} characters")
        self._push_global(f"{module}.{name}")

    def _name_extension(self, argument: int) -> None:
        self._push_global(f"extension {argument}")

    def _push_global(self, name: str) -> None:
        if name not in self._handlers:
            self.globals[name] = self.globals.get(name, 0) + 1
        self._stack.append(Global(name))

    def _reduce(self, _: object) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(arguments, tuple):
            raise ValueError("a call whose arguments are no tuple")
        self._stack.append(self._called(function, arguments))

    def _new_object(self, _: object) -> None:
        self._reduce(None)

    def _new_object_with_keywords(self, _: object) -> None:
        self._pop()
        self._reduce(None)

    def _instance(self, argument: str) -> None:
        arguments = tuple(self._marked())
        self._push_global(argument.replace(" ", "."))
        self._stack.append(self._called(self._pop(), arguments))

    def _object_of_marked(self, _: object) -> None:
        found = self._marked()
        if not found:
            raise ValueError("a value is missing")
        self._stack.append(self._called(found[0], tuple(found[1:])))

    def _called(self, function: object, arguments: tuple[Any, ...]) -> object:
        if isinstance(function, Global):
            handler = self._handlers.get(function.name)
            if handler is None:
                return Inert(function.name, arguments)
            # A handler may go through all that it is given, which can be the same long list every time.
            self._spend(len(arguments) + sum(map(len, filter(_is_long, arguments))))
            return handler(arguments)
        return Inert(function.name if isinstance(function, Inert) else type(function).__name__, arguments)

    def _build(self, _: object) -> None:
        state, target = self._pop(), self._top()
        if isinstance(target, Inert):
            target.state = state

    def _persistent_of_stack(self, _: object) -> None:
        self._stack.append(self._persistent(self._pop()))

    def _persistent_of_text(self, argument: str) -> None:
        self._stack.append(self._persistent(argument))

    def _nothing(self, _: object) -> None:
        """Leave everything as it is: the protocol's number and the frames say nothing that is needed."""


def walk(tree: object) -> Iterator[tuple[str, object]]:
    """Give everything that a tree of containers holds once, with the path to it, in order.

    A container that stands in several places, or within itself, is entered once; one that lies very deep
    is not entered.
    """
    seen: set[int] = set()
    todo: list[tuple[str, object]] = [("", tree)]
    while todo:
        path, value = todo.pop()
        yield path, value
        inner: list[tuple[object, object]] = []
        if isinstance(value, Mapping | Inert | list | tuple):
            if id(value) in seen or len(path) > _LONGEST_PATH:
                continue
            seen.add(id(value))
            if isinstance(value, Mapping):
                inner = list(value.items())
            elif isinstance(value, Inert):
                inner = list(value.items.items())
            else:
                inner = list(enumerate(value))
        todo += [(f"{path}.{shown(k)}" if path else shown(k), v) for k, v in reversed(inner)]


def _is_long(value: object) -> bool:
    return isinstance(value, Sized)


def _checked(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > _LONGEST_WHOLE:
        raise ValueError(f"a whole number of {value.bit_length():,} bits")
    return value


def _as_key(key: object) -> object:
    """Return a dict's key: a plain value as it is, anything else as a placeholder that is equal to itself.

    Tuples and large whole numbers can be chosen so that the hashes of all are equal, or take for ever.
    """
    if isinstance(key, int) and key.bit_length() > _LONGEST_WHOLE_KEY:
        return Inert("int")
    if key is None or isinstance(key, str | bytes | int | float | Inert | Global):
        return key
    return Inert(type(key).__name__)


_CONSTANTS: dict[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_EMPTY: dict[str, Callable[[], object]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": list,
}
_METHODS: dict[str, Callable[[PlainPickle, Any], None]] = {
    "PROTO": PlainPickle._nothing,
    "FRAME": PlainPickle._nothing,
    "STOP": PlainPickle._stop,
    "MARK": PlainPickle._mark,
    "POP": PlainPickle._pop_one,
    "POP_MARK": PlainPickle._drop_marked,
    "DUP": PlainPickle._duplicate,
    "PUT": PlainPickle._put,
    "BINPUT": PlainPickle._put,
    "LONG_BINPUT": PlainPickle._put,
    "MEMOIZE": PlainPickle._memoize,
    "GET": PlainPickle._get,
    "BINGET": PlainPickle._get,
    "LONG_BINGET": PlainPickle._get,
    "TUPLE1": lambda self, _: self._tuple(1),
    "TUPLE2": lambda self, _: self._tuple(2),
    "TUPLE3": lambda self, _: self._tuple(3),
    "TUPLE": PlainPickle._tuple_of_marked,
    "LIST": PlainPickle._list_of_marked,
    "FROZENSET": PlainPickle._list_of_marked,
    "DICT": PlainPickle._dict_of_marked,
    "APPEND": PlainPickle._append,
    "APPENDS": PlainPickle._appends,
    "ADDITEMS": PlainPickle._appends,
    "SETITEM": PlainPickle._set_item,
    "SETITEMS": PlainPickle._set_items,
    "GLOBAL": PlainPickle._name_global,
    "STACK_GLOBAL": PlainPickle._name_stacked_global,
    "EXT1": PlainPickle._name_extension,
    "EXT2": PlainPickle._name_extension,
    "EXT4": PlainPickle._name_extension,
    "REDUCE": PlainPickle._reduce,
    "NEWOBJ": PlainPickle._new_object,
    "NEWOBJ_EX": PlainPickle._new_object_with_keywords,
    "INST": PlainPickle._instance,
    "OBJ": PlainPickle._object_of_marked,
    "BUILD": PlainPickle._build,
    "BINPERSID": PlainPickle._persistent_of_stack,
    "PERSID": PlainPickle._persistent_of_text,
}
