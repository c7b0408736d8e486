"""pyarrow, imported where it is needed: it is an extra."""

from importlib import import_module
from typing import Any

from models.errors import LogError


def arrow(module: str, what: str) -> Any:
    """Import a module of pyarrow.

    Parameters
    ----------
    module
        Its full name.
    what
        What needs it, for the message.

    Raises
    ------
    LogError
        When pyarrow is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise LogError(f"{what} needs pyarrow, which is not installed: pip install 'freshet[logs]'.") from error
