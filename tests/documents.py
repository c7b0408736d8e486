"""Code that stands in a document, run as it is written there."""

import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]


def module_of(document: str) -> ModuleType:
    """The module that a document shows, in its only block of Python."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    module = ModuleType(Path(document).stem.replace("-", "_"))
    exec(compile(code, document, "exec"), module.__dict__)
    return module
