"""Which rows of a log are events, and what their types are called here; by flags, in the words of a source."""

from collections.abc import Iterable, Mapping, Sequence

from app.misspelt import example_near
from app.sources.ids import plain_id
from app.sources.paths import Path, compile_path, is_true, root_names
from app.sources.type_names import TypeNames
from models.errors import InvalidEvent, SettingsError

_EXAMPLE = "\"action == 'clickout item'\""


class Choice:
    """The rows that are taken, and our names of their types.

    Parameters
    ----------
    types
        Their type -> our type; empty: rows of theirs are left out.
    ignore
        Types of theirs whose rows are left out; `*`: all that `types` lacks.
    where
        JMESPath over a row by the names of its columns: rows for which one of them is not true are left out. What
        stands in a cell of text is text.

    Raises
    ------
    SettingsError
        For what is no JMESPath.
    """

    def __init__(
        self, types: Mapping[str, str] | None = None, ignore: Iterable[str] = (), where: Sequence[str] = ()
    ) -> None:
        self._types = TypeNames(types or {}, ignore)
        self._where = [(text, _compiled(text)) for text in where]
        self.columns = {name for text in where for name in root_names(text)}

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
        return bool(self._where or self._types.ignored or "" in self._types.ours.values())

    def takes(self, row: Mapping[str, object]) -> bool:
        """Whether every `where` is true of a row.

        Raises
        ------
        SettingsError
            When one cannot be asked of this row.
        """
        try:
            return all(is_true(path(row)) for _, path in self._where)
        except InvalidEvent as invalid:
            raise SettingsError(
                f"--where: {invalid.message} Ask first whether the field is there, e.g. tags && contains(tags, 'x')."
            ) from None

    def type_of(self, theirs: object) -> object:
        """Our name of a type; None where its rows are left out. What is neither text nor a number stays as it is."""
        name = plain_id(theirs)
        return self._types.of(name) if isinstance(name, str) else theirs

    def refuse_missing(self, header: Sequence[str]) -> None:
        """Refuse a `where` that asks for a column that a table does not have: it would leave out every row."""
        for text, _ in self._where:
            if missing := sorted(root_names(text) - {"@", *header}):
                raise SettingsError(
                    f"--where has value {text!r}: no column {', '.join(map(repr, missing))}; the header has "
                    f"{', '.join(header)!r}. Write text in single quotes, e.g. {_EXAMPLE}; names of other characters "
                    "than letters, digits and _ in double quotes."
                )


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


def _compiled(text: str) -> Path:
    try:
        return compile_path(text)
    except ValueError as error:
        raise SettingsError(f"--where has value {text!r}: {error}. Use JMESPath, e.g. {_EXAMPLE}.") from None
