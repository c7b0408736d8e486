"""Paths: the short way for dotted names gives what JMESPath gives."""

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources.paths import compile_path, root_names

NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.none() | st.booleans() | st.integers(0, 1) | st.sampled_from(["", "x"])
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3))
DOTTED = st.lists(NAMES, min_size=1, max_size=3).map(".".join)


@given(DOCUMENTS, st.lists(DOTTED, min_size=1, max_size=3).map(" || ".join))
def test_dotted_names_are_those_of_jmespath(document: object, expression: str) -> None:
    """Whatever the document, the short way finds what the library finds, 0 and false apart."""
    found, expected = compile_path(expression)(document), jmespath.search(expression, document)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("expression", ["", "a..b", "a[", "'x", "a b"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    """A mistake is told where the expression is compiled."""
    with pytest.raises(ValueError, match="no JMESPath"):
        compile_path(expression)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("a.b || c", {"a", "c"}),
        ("each.id", {"each"}),
        ("items[?each == `1`].x", {"items"}),
        ("length(@) > `1` && a", {"@", "a"}),
        ('"each"', {"each"}),
    ],
)
def test_the_names_that_an_expression_asks_for(expression: str, names: set[str]) -> None:
    """Names at the root of the document, not those below it."""
    assert root_names(expression) == names
