from providers.wire.responses.offered import custom_names, flat_name, namespaces_of

TOOLS = [
    {"type": "function", "name": "f"},
    {"type": "custom", "name": "apply_patch"},
    {
        "type": "namespace",
        "name": "mcp__docs__",
        "tools": [{"type": "function", "name": "search"}, {"type": "custom", "name": "note"}],
    },
]
LATER = {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "late"}]}
BODY = {"tools": TOOLS, "input": [{"type": "message", "role": "user", "tools": TOOLS}, LATER]}


def test_a_function_of_a_namespace_has_one_name() -> None:
    assert flat_name("", "f") == "f"
    assert flat_name("docs", "f") == "docs__f"
    assert flat_name("docs__", "f") == "docs__f"


def test_flat_names_lead_back() -> None:
    assert namespaces_of(BODY) == {
        "mcp__docs__search": ("mcp__docs__", "search"),
        "mcp__docs__note": ("mcp__docs__", "note"),
    }
    assert namespaces_of({}) == {}


def test_custom_tools_are_found_wherever_they_are_offered() -> None:
    assert custom_names(BODY) == {"apply_patch", "mcp__docs__note", "late"}
