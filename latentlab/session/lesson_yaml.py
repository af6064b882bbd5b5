"""The small pieces of YAML in a lesson, read as plain values: no tag makes an object, no alias a bomb."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml


class YamlFaultError(Exception):
    """A piece of YAML that cannot be used; ``line`` is counted in the lesson's file."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True)
class Item:
    """One entry of a list, or one field of a mapping (``name``), and the line on which it begins."""

    value: Any
    line: int
    name: str = ""


def read_list(text: str, line: int) -> list[Item]:
    """Return the entries of a list whose first line is that of the file; an empty text is an empty list.

    Raises
    ------
    YamlFaultError
        If it is no plain YAML, or no list.
    """
    node = _node(text, line)
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise YamlFaultError(line, "a list is expected, each entry on a line that begins with '- '")
    return [Item(_value(one, line), _line(one, line)) for one in node.value]


def read_fields(text: str, line: int) -> list[Item]:
    """Return the fields of a mapping whose first line is that of the file, in order.

    Raises
    ------
    YamlFaultError
        If it is no plain YAML, no mapping, or a name stands there twice.
    """
    node = _node(text, line)
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise YamlFaultError(line, "lines of the form 'name: value' are expected")
    return list(_fields(node, line))


def _node(text: str, line: int) -> yaml.Node | None:
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)):
                where = line + token.start_mark.line
                raise YamlFaultError(where, "plain values are expected; found an anchor, an alias or a tag")
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        said = f"plain YAML is expected; {problem}"
        raise YamlFaultError(line + (0 if mark is None else mark.line), said) from None
    except RecursionError:
        raise YamlFaultError(line, "plain YAML is expected; it is nested too deeply") from None
    return node


def _fields(node: yaml.MappingNode, line: int) -> Iterator[Item]:
    known: set[str] = set()
    for key, value in node.value:
        name, where = _value(key, line), _line(key, line)
        if not isinstance(name, str):
            raise YamlFaultError(where, f"a name is expected before ':'; found {name!r}")
        if name in known:
            raise YamlFaultError(where, f"{name!r} stands there twice; keep one")
        known.add(name)
        yield Item(_value(value, line), where, name)


def _value(node: yaml.Node, line: int) -> Any:
    """Return a node's value: lists, mappings with names, and plain values."""
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, line) for one in node.value]
    if isinstance(node, yaml.MappingNode):
        return {item.name: item.value for item in _fields(node, line)}
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        raise YamlFaultError(_line(node, line), f"a plain value is expected; found {node.value!r}") from None


def _line(node: yaml.Node, line: int) -> int:
    return int(line + node.start_mark.line)
