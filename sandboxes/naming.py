"""What a source file must be called, in the languages where that depends on what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_LONGEST_NAME = 100


def java_names(source: str) -> dict[str, str]:
    """What a Java source must be called, and which of its classes to start.

    Args:
        source: The text. Whatever it is, the answer is a usable file name; the compiler finds its faults.

    Returns:
        `source`: the file's name, after its public class. `main`: the class with a `main` method, with its package.
    """
    package, types = _java_types(source)
    public = next((each.name for each in types if each.public), "Main")
    best = max(types, key=lambda each: (each.main, each.public, each.name == "Main"), default=_JavaType(public))
    if len(f"{public}{package}{best.name}".encode("utf-8", "replace")) > _LONGEST_NAME:
        return {"source": "Main.java", "main": "Main"}
    return {"source": f"{public}.java", "main": f"{package}{best.name}"}


@dataclass
class _JavaType:
    name: str
    public: bool = False
    main: int = 0  # 2: a static main method, 1: one of an instance


def _java_types(source: str) -> tuple[str, list[_JavaType]]:
    """The package, as a prefix, and the types declared at the top level."""
    package, types, depth = "", [], 0
    statement: list[str] = []
    for match in _JAVA_TOKEN.finditer(source):
        token = match["code"]
        if token is None:
            continue
        if token not in "{};":
            statement += [token] if depth < 2 else []
            continue
        if depth == 0 and statement[:1] == ["package"]:
            package = "".join(statement[1:]) + "."
        if depth == 0 and token == "{":
            types += _declared(statement)
        elif depth == 1 and token == "{" and types:
            types[-1].main = max(types[-1].main, _is_main(statement))
        depth = max(0, depth + (token == "{") - (token == "}"))
        statement = []
    return package, types


def _declared(statement: list[str]) -> list[_JavaType]:
    for at, (keyword, name) in enumerate(pairwise(statement)):
        if keyword in ("class", "interface", "enum", "record") and (name[0].isalpha() or name[0] in "_$"):
            return [_JavaType(name, public="public" in statement[:at])]
    # A method outside of any type belongs to an unnamed class, which is called after the file.
    return [_JavaType("Main", main=main)] if (main := _is_main(statement)) else []


def _is_main(statement: list[str]) -> int:
    for at, token in enumerate(statement):
        if token == "void" and statement[at + 1 : at + 3] == ["main", "("]:
            return 2 if "static" in statement[:at] else 1
    return 0


# What is not closed runs to its line's or the text's end, and nothing is tried twice: the time is linear.
_JAVA_TOKEN = re.compile(
    r"""//[^\r\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?|\"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})?"""
    r"""|"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|(?P<code>[\w$]++|[^\s\w$])""",
    re.DOTALL,
)


def script_names(source: str) -> dict[str, str]:
    """What a JavaScript source must be called: Node.js takes the kind of module from the name."""
    script = "require(" in source and "createRequire" not in source
    return {"source": "main.mjs" if _JS_MODULE.search(source) and not script else "main.js"}


_JS_MODULE = re.compile(r"""^[ \t]*(?:import(?:[ \t]+[\w$]|[ \t]*[{*"'])|export[ \t{*])""", re.MULTILINE)
