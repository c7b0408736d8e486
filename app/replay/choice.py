"""Which rows of a log are events, or hold them, and what types are called here; by flags, in a source's words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.misspelt import example_near
from app.sources.elements import EACH
from app.sources.ids import plain_id
from app.sources.paths import Path, compile_path, is_true, root_names
from app.sources.type_names import TypeNames
from models.errors import InvalidEvent, SettingsError

_EXAMPLES = {"--where": "\"action == 'clickout item'\"", "--each": "items, or \"split(shown, ' ')\""}


class Choice:
    """The rows, or elements of rows, that are taken, and our names of their types.

    Parameters
    ----------
    types
        Their type -> our type; empty: rows of theirs are left out.
    ignore
        Types of theirs whose rows are left out; `*`: all that `types` lacks.
    where
        JMESPath over a row by the names of its columns: rows for which one of them is not true are left out. What
        stands in a cell of text is text. With `each`, one that asks for `each` is about elements.
    each
        Path of an array in a row whose elements are events; None: the row is one.

    Raises
    ------
    SettingsError
        For what is no JMESPath.

    Attributes
    ----------
    columns
        The names that a row is asked for; `@` stands for the whole of it.
    """

    def __init__(
        self,
        types: Mapping[str, str] | None = None,
        ignore: Iterable[str] = (),
        where: Sequence[str] = (),
        each: str | None = None,
    ) -> None:
        self.each = each
        self._given = set[str]() if each is None else {EACH}
        self._types = TypeNames(types or {}, ignore)
        self._asked: list[tuple[str, str, set[str]]] = []
        self._of_rows, self._of_elements = list[Path](), list[Path]()
        for text in where:
            path, names = self._compiled("--where", text)
            of_elements = each is not None and EACH in names
            (self._of_elements if of_elements else self._of_rows).append(path)
        self._elements = None if each is None else self._compiled("--each", each)[0]
        self.columns = {name for _, _, names in self._asked for name in names} - self._given

    @property
    def knows_types(self) -> bool:
        """Whether a row's type is looked at."""
        return bool(self._types.ours or self._types.ignored)

    @property
    def renames(self) -> bool:
        """Whether a row's type may become another."""
        return any(self._types.ours.values())

    @property
    def leaves_out(self) -> bool:
        """Whether a row may be left out."""
        return bool(self._of_rows or self._of_elements or self._types.ignored or "" in self._types.ours.values())

    def takes(self, row: Mapping[str, object]) -> bool:
        """Whether every `where` about rows is true of this one.

        Raises
        ------
        SettingsError
            When one cannot be asked of it.
        """
        return _all_true(self._of_rows, row)

    def takes_element(self, document: Mapping[str, object]) -> bool:
        """Whether every `where` about elements is true of the one beside a row's fields; raises as `takes`."""
        return _all_true(self._of_elements, document)

    def elements(self, row: Mapping[str, object]) -> list[Any] | None:
        """The elements of a row; None where no array stands at `each`."""
        try:
            found = self._elements(row) if self._elements else None
        except InvalidEvent:
            return None
        return found if isinstance(found, list) else None

    def type_of(self, theirs: object) -> object:
        """Our name of a type; None where its rows are left out. What is neither text nor a number stays as it is."""
        name = plain_id(theirs)
        return self._types.of(name) if isinstance(name, str) else theirs

    def refuse_missing(self, header: Sequence[str]) -> None:
        """Refuse a flag that asks for a column that a table does not have: it would leave out every row."""
        for flag, text, names in self._asked:
            if missing := sorted(names - {"@"} - self._given - set(header)):
                raise SettingsError(
                    f"{flag} has value {text!r}: no column {', '.join(map(repr, missing))}; the header has "
                    f"{', '.join(header)!r}. Write text in single quotes, e.g. {_EXAMPLES[flag]}; names of other "
                    "characters than letters, digits and _ in double quotes."
                )

    def _compiled(self, flag: str, text: str) -> tuple[Path, set[str]]:
        try:
            path, names = compile_path(text), root_names(text)
        except ValueError as error:
            raise SettingsError(f"{flag} has value {text!r}: {error}. Use JMESPath, e.g. {_EXAMPLES[flag]}.") from None
        self._asked.append((flag, text, names))
        return path, names


def parse_types(flags: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Their type -> our type, from flags `THEIRS=OURS`; nothing behind the sign leaves them out.

    >>> parse_types(["Product Viewed=view", "login="], ["view"])
    {'Product Viewed': 'view', 'login': ''}

    Raises
    ------
    SettingsError
        For a flag that cannot be used, or that names no type of ours.
    """
    names, types = list(known), dict[str, str]()
    for flag in flags:
        theirs, sign, ours = flag.rpartition("=")
        if not sign or not theirs:
            raise SettingsError(f'--types has value {flag!r}: write THEIRS=OURS, e.g. "Product Viewed=view".')
        if ours and ours not in names:
            raise SettingsError(
                f"--types has value {flag!r}: {ours!r} is no type of event. Use one of {', '.join(names)}"
                f"{example_near(ours, names)}; or declare it in FRESHET_EXTRA_EVENT_TYPES."
            )
        if types.setdefault(theirs, ours) != ours:
            raise SettingsError(f"--types names the type {theirs!r} twice: {types[theirs]!r} and {ours!r}. Keep one.")
    return types


def _all_true(wheres: Sequence[Path], row: Mapping[str, object]) -> bool:
    try:
        return all(is_true(path(row)) for path in wheres)
    except InvalidEvent as invalid:
        raise SettingsError(
            f"--where: {invalid.message} Ask first whether the field is there, e.g. tags && contains(tags, 'x')."
        ) from None
