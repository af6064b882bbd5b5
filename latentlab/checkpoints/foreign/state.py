"""Find the state dict in what a torch file holds, and take from it what a picture is made with.

Trainings store a state dict by itself, or under a key among optimisers and counters; wrappers put a prefix
before every name; and many keep a second, averaged copy of the weights (EMA), which draws better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from latentlab.checkpoints.foreign.stored import StoredTensor

EMA_KEYS = ("g_ema", "ema_state_dict", "state_dict_ema", "model_ema", "params_ema", "ema")
"""Keys of a file's dict under which an averaged state dict stands."""
PLAIN_KEYS = ("state_dict", "model_state_dict", "model", "params", "net", "network", "generator")
"""Keys under which a plain one stands, looked for after the averaged ones."""
WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""
_MOST_WRAPPERS = 4
EMA_PREFIXES = ("model_ema.", "ema_model.", "ema.")
"""What averaged copies within one state dict have before their names."""


@dataclass(frozen=True)
class State:
    """The tensors of one network by name, and what was done to find them.

    ``found`` says what was taken, in words for people ("key g_ema; prefix module. removed"). ``ignored``
    are the names, as they stand in the file, that were set aside on the way.
    """

    tensors: Mapping[str, StoredTensor]
    found: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def under(self, prefix: str) -> State:
        """Return only what has a prefix, without it; what has not is ignored."""
        inside = {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}
        outside = tuple(k for k in self.tensors if not k.startswith(prefix))
        return State(inside, (*self.found, f"prefix {prefix} removed"), (*self.ignored, *outside))


@dataclass
class _Choice:
    tensors: dict[str, StoredTensor]
    found: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def choose_state(tree: object) -> State:
    """Choose the state dict of a file's tree; it holds no tensors where there is none.

    Averaged copies are preferred and wrappers' prefixes taken off, and `State.found` says so.

    Parameters
    ----------
    tree
        What `read_torch_file` gives, or a mapping of names to tensors.
    """
    choice = _Choice({})
    if isinstance(tree, Mapping):
        direct = _tensors(tree)
        named = [key for key in (*EMA_KEYS, *PLAIN_KEYS) if _tensors(tree.get(key))]
        if not named or len(direct) > len(_tensors(tree[named[0]])):
            choice.tensors = direct
        else:
            choice.tensors = _tensors(tree[named[0]])
            choice.found.append(f"weights under the key {named[0]}")
            if named[0] in EMA_KEYS:
                choice.found[-1] += " (the averaged copy, EMA)"
            choice.ignored += [f"{key}.{name}" for key in named[1:] for name in _tensors(tree[key])]
    _without_wrappers(choice)
    _prefer_averages(choice)
    _without_wrappers(choice)
    return State(choice.tensors, tuple(choice.found), tuple(choice.ignored))


def _tensors(value: object) -> dict[str, StoredTensor]:
    """Return the tensors that stand in a mapping itself under a text."""
    return dict(_pairs(value)) if isinstance(value, Mapping) else {}


def _pairs(mapping: Mapping[object, object]) -> Iterator[tuple[str, StoredTensor]]:
    for name, value in mapping.items():
        if isinstance(name, str) and isinstance(value, StoredTensor):
            yield name, value


def _without_wrappers(choice: _Choice) -> None:
    for _ in range(_MOST_WRAPPERS):
        prefix = next((p for p in WRAPPERS if _all_begin(choice.tensors, p)), "")
        if not prefix:
            return
        choice.tensors = {name.removeprefix(prefix): value for name, value in choice.tensors.items()}
        choice.found.append(f"prefix {prefix} removed")


def _all_begin(tensors: Mapping[str, StoredTensor], prefix: str) -> bool:
    return bool(tensors) and all(name.startswith(prefix) for name in tensors)


def _prefer_averages(choice: _Choice) -> None:
    """Take the averaged copy of each weight that has one: under its own name, or (LitEma) without dots."""
    for prefix in EMA_PREFIXES:
        averaged = {n.removeprefix(prefix): v for n, v in choice.tensors.items() if n.startswith(prefix)}
        if not averaged:
            continue
        plain = {n: v for n, v in choice.tensors.items() if not n.startswith(prefix)}
        taken = 0
        for name, value in list(plain.items()):
            other = averaged.get(name) or averaged.get(name.replace(".", ""))
            if other is not None and other.shape == value.shape:
                plain[name] = other
                choice.ignored.append(name)
                taken += 1
        if not taken and any("." in name for name in averaged):  # the plain copy is under a name of its own
            choice.ignored += list(plain)
            plain, taken = averaged, len(averaged)
        if taken:
            choice.found.append(f"averaged copies (EMA) under {prefix} taken for {taken} tensors")
        else:
            choice.ignored += [f"{prefix}{name}" for name in averaged]
        choice.tensors = plain
        return
