"""Formulas as MathML, which browsers typeset themselves: pages need no script and no network."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Functions without parentheses, after which TeX has a space that MathML lacks.
FUNCTION = re.compile(r"\\(?:log|exp|sin|cos|tanh)(?:\^\w)?(?= *\\[a-z]| +[A-Za-z])(?! *\\(?:left|q?quad|,))")


def convert(node: nodes.Element, *, block: bool) -> str:
    """Return the MathML of a formula; one that is not understood is a warning."""
    source = re.sub(r"\{align\*?\}", "{aligned}", node.astext())
    source = FUNCTION.sub(r"\g<0>\\,", source)
    if block and "\\\\" in source and "\\begin" not in source:
        source = rf"\begin{{aligned}}{source}\end{{aligned}}"
    try:
        return tex2mathml(source, as_block=block)
    except MathError as error:
        logger.warning("formula %r: %s", source, error, location=node)
        return f"<code>{source}</code>"


def visit_math(translator, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    translator.body.append(convert(node, block=False))
    raise nodes.SkipNode


def visit_math_block(translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    translator.body.append(f'<div class="formula">{convert(node, block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
