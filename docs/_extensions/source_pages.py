"""Pages of highlighted source: links back to the API pages of their names, and no entries of modules without source.

``sphinx.ext.viewcode`` takes all names of a module to be documented as those of one package. But ``anynet.setup`` and
``anynet.training.Setup`` are defined in the same module.
"""

import posixpath
import re
from typing import Any

from sphinx.application import Sphinx

BACK = re.compile(r'id="([^"]+)">\n<a class="viewcode-back" href="([^"#]+)\.html#[^"]+')


def mend_links(app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Let the links of a page of source lead to the anchors that the API pages have."""
    if not page.startswith("_modules/"):
        return
    objects = app.env.domains.python_domain.objects

    def mended(found: re.Match[str]) -> str:
        name, link = found[1], found[2]
        api_page = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
        there = [each for each, entry in objects.items() if entry.docname == api_page and each.endswith(f".{name}")]
        anchor = objects[there[0]].node_id
        return f'id="{name}">\n<a class="viewcode-back" href="{link}.html#{anchor}'

    context["body"] = BACK.sub(mended, context["body"])


def leave_out_unread(app: Sphinx) -> list[Any]:
    """Forget modules such as ``builtins``, which have no page of source but would be in the list of modules."""
    modules = getattr(app.env, "_viewcode_modules", {})
    for name in [name for name, entry in modules.items() if entry is False]:
        del modules[name]
    return []


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handlers."""
    app.connect("html-page-context", mend_links)
    app.connect("html-collect-pages", leave_out_unread, priority=400)  # ahead of viewcode
    return {"parallel_read_safe": True, "parallel_write_safe": True}
