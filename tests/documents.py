"""Code out of the documents, so that what they show is what is tested."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def blocks_in(document: str, language: str = "python") -> list[str]:
    """The fenced blocks of one language."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def files_in(document: str) -> dict[str, str]:
    """Blocks that stand below a comment <!-- file: name.py -->, by that name."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return dict(re.findall(r"^<!-- file: (\S+) -->\n```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL))
