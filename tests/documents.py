"""Code out of the documents, so that what they show is what is tested."""

import re
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]


def blocks_in(document: str, language: str = "python") -> list[str]:
    """The fenced blocks of one language; those that need PyTorch only where it is installed."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [block for block in found if "import torch" not in block or find_spec("torch")]


def files_in(document: str) -> dict[str, str]:
    """Blocks that stand below a comment <!-- file: name.py -->, by that name."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return dict(re.findall(r"^<!-- file: (\S+) -->\n```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL))
