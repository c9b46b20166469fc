"""The tools that a Responses request offers, by the names that other dialects know them by.

Functions in a namespace are flattened, because no other dialect has one.

A namespace ``mcp__docs`` with a function ``search`` becomes a function ``mcp__docs__search``; a call of that is given
back to the client with both names.
"""

from collections.abc import Iterator, Mapping

from providers.wire.values import mapping, sequence, string

_BETWEEN = "__"


def flat_name(namespace: str, name: str) -> str:
    """The one name of a function in a namespace."""
    if not namespace:
        return name
    return f"{namespace}{name}" if namespace.endswith(_BETWEEN) else f"{namespace}{_BETWEEN}{name}"


def namespaces_of(request: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Lead from flat names to namespace and name, for a request body."""
    return {flat_name(space, name): (space, name) for space, name, _ in _named(request) if space}


def custom_names(request: Mapping[str, object]) -> frozenset[str]:
    """The flat names of the custom tools of a request body: their calls are free text."""
    return frozenset(flat_name(space, name) for space, name, kind in _named(request) if kind == "custom")


def _named(request: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Namespace, name and type of each tool; ``input`` may bring further ones."""
    more = [mapping(item) for item in sequence(request.get("input"))]
    lists = [request, *(item for item in more if item.get("type") == "additional_tools")]
    for entry in [entry for source in lists for entry in sequence(source.get("tools"))]:
        tool = mapping(entry)
        inner = sequence(tool.get("tools")) if tool.get("type") == "namespace" else None
        space = string(tool.get("name")) if inner is not None else ""
        for each in [tool] if inner is None else [mapping(one) for one in inner]:
            yield space, string(each.get("name")), string(each.get("type"))
