"""Prose of lessons as HTML: a little Markdown, and LaTeX as MathML, which browsers draw by themselves."""

import re
from functools import cache

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markupsafe import Markup

MATH = re.compile(r"\$([^$]+)\$")
HOLE = "\ue000"  # stands for a formula while Markdown is read; of the private use area, so that no text holds it


@cache
def math(latex: str, display: str = "inline") -> Markup:
    """A formula; display "block" gives it a line of its own."""
    return Markup(convert(latex, display=display))


@cache
def prose(text: str) -> Markup:
    """One paragraph: emphasis, code, links, and `$…$`. HTML in it is text."""
    formulas = iter(MATH.findall(text))
    inline = MarkdownIt("zero", {"html": False}).enable(["emphasis", "backticks", "link", "escape"]).renderInline(MATH.sub(HOLE, text))
    return Markup(re.sub(HOLE, lambda _: math(next(formulas)), inline))
