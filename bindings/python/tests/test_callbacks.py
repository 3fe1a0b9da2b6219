"""Callbacks: names, schemas, conversions, exceptions."""
import dataclasses
import enum
import json
import typing
from typing import Annotated, Any, Literal, Optional

import eryx
import pytest


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Options(typing.TypedDict, total=False):
    depth: typing.Required[int]
    name: str


def call(function, expression, **options):
    return eryx.run(expression, callbacks=[function], **options).value


def test_plain_function_is_plain_in_the_sandbox():
    def add(a: int, b: int = 10) -> int:
        return a + b
    assert call(add, "[add(1), add(1, 2), add(a=1, b=3)]") == [11, 3, 4]


def test_async_function_is_awaited_there():
    async def twice(text: str) -> str:
        return text * 2
    assert call(twice, "await twice('ab')") == "abab"


def test_blocking_can_be_chosen():
    async def one() -> int:
        return 1

    def two() -> int:
        return 2
    callbacks = [eryx.callback(one, blocking=True), eryx.callback(two, blocking=False)]
    assert eryx.run("[one(), await two()]", callbacks=callbacks).value == [1, 2]


def test_names():
    callbacks = {"http.get": lambda url: f"<{url}>", "db.find.one": eryx.callback(lambda: 1, name="x")}
    assert eryx.run("[http.get('u'), db.find.one()]", callbacks=callbacks).value == ["<u>", 1]
    with pytest.raises(TypeError, match="has no name"):
        eryx.Sandbox(callbacks=[lambda: 1])
    with pytest.raises(eryx.ArgumentError, match="one"):
        eryx.Sandbox(callbacks=[eryx.callback(len, name="one", schema={}),
                                eryx.callback(len, name="one", schema={})])


def test_methods_partials_and_objects():
    class Store:
        def __init__(self):
            self.values = {}

        def put(self, key: str, value: Any) -> None:
            """Puts a value."""
            self.values[key] = value

        def __call__(self, key: str) -> Any:
            return self.values[key]
    store = Store()
    eryx.run("put('k', [1, 2]); get('k')", callbacks={"put": store.put, "get": store})
    assert store.values == {"k": [1, 2]}


def test_schema_and_description():
    def search(query: str, limit: Annotated[int, "how many"] = 5, *, tags: Optional[list[str]] = None,
               where: Literal["here", "there"] = "here", at: Point = Point(1.0)) -> list:
        """Searches the catalogue.

        Knows every word.

        Args:
            query: what to look for,
                in any language
            tags (list): only with these
        Returns:
            Titles.
        """
        return []
    made = eryx.callback(search)
    assert made.description == "Searches the catalogue.\n\nKnows every word.\n\nReturns:\n    Titles."
    assert made.schema == {
        "type": "object", "required": ["query"], "additionalProperties": False,
        "properties": {
            "query": {"type": "string", "description": "what to look for, in any language"},
            "limit": {"type": "integer", "description": "how many", "default": 5},
            "tags": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                     "description": "only with these", "default": None},
            "where": {"enum": ["here", "there"], "default": "here"},
            "at": {"type": "object", "required": ["x"], "additionalProperties": False,
                   "properties": {"x": {"type": "number"}, "y": {"type": "number", "default": 0.0}},
                   "default": {"x": 1.0, "y": 0.0}}}}
    listed = call(search, "list_callbacks()")[0]
    assert listed["name"] == "search"
    assert listed["description"] == made.description
    assert "how many" in call(search, "search.__doc__")


@pytest.mark.parametrize("hint, given, expected", [
    (int, 3, 3), (float, 3, 3.0), (bool, True, True), (None, None, None), (Any, {"a": [1]}, {"a": [1]}),
    (Point, {"x": 1}, Point(1.0, 0.0)), (Color, "red", Color.RED), (Options, {"depth": 2}, {"depth": 2}),
    (list[Point], [{"x": 1, "y": 2}], [Point(1.0, 2.0)]), (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2], (1, 2)), (set[int], [1, 1], {1}), (dict[str, Color], {"k": "blue"},
                                                                {"k": Color.BLUE}),
    (int | None, None, None), (int | str, "x", "x"), (Literal[1, "a"], "a", "a"),
    ("list[int]", [1], [1]), (frozenset[str], ["a"], frozenset("a")),
])
def test_conversions(hint, given, expected):
    got = []

    def take(value):
        got.append(value)
    take.__annotations__["value"] = hint
    eryx.run(f"import json\ntake(json.loads({json.dumps(given)!r}))", callbacks=[take])
    assert got == [expected] and type(got[0]) is type(expected)


@pytest.mark.parametrize("hint, given, message", [
    (int, "x", "argument 'value': expected integer, not string"),
    (int, True, "expected integer, not boolean"),
    (int, 1.5, "expected integer, not number"),
    (list[int], [1, "a"], "argument 'value'[1]: expected integer, not string"),
    (dict[str, Point], {"k": {"y": 1}}, "argument 'value'.k: Point without x"),
    (Point, {"x": 1, "z": 2}, "Point has no z"),
    (Point, {"x": "a"}, "argument 'value'.x: expected number, not string"),
    (Color, "green", 'expected one of "red", "blue"'),
    (int | None, "x", "expected integer, not string, or expected null, not string"),
    (tuple[int, int], [1], "expected array of 2 items"),
])
def test_wrong_arguments_are_type_errors(hint, given, message):
    def take(value):
        raise AssertionError("called")
    take.__annotations__["value"] = hint
    with pytest.raises(eryx.GuestError) as caught:
        eryx.run(f"import json\ntake(json.loads({json.dumps(given)!r}))", callbacks=[take])
    assert message in caught.value.message
    assert isinstance(caught.value.__cause__, TypeError)


def test_hints_that_json_has_not():
    def take(value: complex):
        pass
    with pytest.raises(TypeError, match="callback take: parameter value: no JSON for type complex"):
        eryx.callback(take)

    def star(*values):
        pass
    with pytest.raises(TypeError, match=r"\*values"):
        eryx.callback(star)
    assert eryx.run("take(value=1)", callbacks=[eryx.callback(take, schema={"type": "object"})]).ok


def test_results_become_json():
    def results():
        return {"p": Point(1.0), "c": Color.BLUE, "s": {1}, "t": (1, 2), "n": None}
    assert call(results, "results()") == {"p": {"x": 1.0, "y": 0.0}, "c": "blue", "s": [1], "t": [1, 2],
                                          "n": None}


def test_result_that_is_not_json():
    def bad():
        return object()
    with pytest.raises(eryx.GuestError, match="a result of type object is not JSON"):
        call(bad, "bad()")


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_exceptions_reach_the_program_and_come_back_as_cause(kind):
    if kind == "plain":
        def fail():
            raise LookupError("no such key")
        expression = "fail()"
    else:
        async def fail():
            raise LookupError("no such key")
        expression = "await fail()"
    with pytest.raises(eryx.GuestError, match="LookupError: no such key") as caught:
        call(fail, expression)
    assert isinstance(caught.value.__cause__, LookupError)
    assert call(fail, f"try:\n    {expression}\nexcept Exception as e:\n    r = str(e)\nr") \
        == "LookupError: no such key"


def test_what_a_program_raises_itself_has_no_cause():
    def fail():
        raise LookupError("no such key")
    with pytest.raises(eryx.GuestError) as caught:
        call(fail, "try:\n    fail()\nexcept Exception:\n    pass\nraise ValueError('mine')")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_exits_in_a_callback_end_the_program_and_come_out(error):
    def leave():
        raise error()
    with eryx.Sandbox(callbacks=[leave]) as sandbox:
        with pytest.raises(error):
            sandbox.execute("while True:\n    try:\n        leave()\n    except BaseException: pass")
        assert sandbox.execute("1").value == 1


def test_function_that_returns_a_coroutine():
    async def inner():
        return 1

    def outer():
        return inner()
    with pytest.raises(eryx.GuestError, match="use `async def`"):
        call(outer, "outer()")


def test_callback_that_uses_its_own_sandbox():
    def inner():
        return sandbox.execute("1").value
    with eryx.Sandbox(callbacks=[inner]) as sandbox:
        with pytest.raises(eryx.GuestError, match="the sandbox is executing already") as caught:
            sandbox.execute("inner()")
        assert isinstance(caught.value.__cause__, eryx.StateError)


def test_callback_that_uses_another_sandbox():
    def nested(depth: int) -> int:
        if depth == 0:
            return 0
        return 1 + eryx.run(f"nested({depth - 1})", callbacks=[nested]).value
    assert call(nested, "nested(5)") == 5


def test_arguments_by_position_only():
    def divide(a: float, b: float, /, *, digits: int = 2) -> float:
        return round(a / b, digits)
    assert call(divide, "divide(1, 3, digits=3)") == 0.333


def test_invoke_with_wrong_names():
    def add(a: int) -> int:
        return a
    with pytest.raises(eryx.GuestError, match="unexpected keyword argument"):
        call(add, "await invoke('add', '{\"b\": 1}')")
