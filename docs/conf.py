"""Settings of Sphinx; ``make docs`` builds the site into docs/_build/html."""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")  # TensorFlow is not installed

import anynet

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_extensions"))

project = "anynet"
author = "anynet developers"
project_copyright = "anynet developers"
version = release = anynet.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
    "benchmark_tables",
    "browser",
    "internal_links",
    "mathml",
    "public_names",
    "repository_links",
    "source_pages",
]
exclude_patterns = ["_build", "gallery", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    (r"py:obj", r"[a-z_]\w*|[A-Z]"),  # parameters, which docstrings write like names of functions
    (r"(py|std):.*", r"python:.*|numpy[.:].*|collections\..*|callable"),  # types of other projects
]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "amsmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings have types in words
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"  # methods by their own names, which fit beside the page
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # but public names, which are links: see _extensions/public_names.py
numpydoc_validation_checks = {  # all but these:
    "all",
    "GL02",  # quotes on a line of their own: ruff checks them, and docstrings put together at import have none
    "SA01",  # "See Also": links are in the text
    "ES01",  # a summary may say it all
    "EX01",  # examples of methods are those of their class
    "RT03",  # a type may say it all, such as Figure
}
NO_SECTIONS = r"(?ms:\A(?!.*^ *-{3,}$))"  # one paragraph, such as that of a method whose base class has the parameters
numpydoc_validation_overrides = {
    "PR01": {NO_SECTIONS, r"(?m:^ *Attributes$)", r"\AA trained net, with everything"},  # Run has a private field
    "RT01": {NO_SECTIONS},
    "YD01": {NO_SECTIONS},
}
numpydoc_validation_exclude = {
    r"\.(Loss|Schedule|Tick)$",  # objects that cannot have docstrings: what the source has is shown
    r"\.(COMPILE|DTYPES|IMAGE_SHAPE|LIBRARIES|METHODS|OPSET|PRECISIONS|STYLE)$",
    r"\.Config\.",  # options of the command line, which have their help
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": "",
    "ignore_pattern": "/_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "within_subsection_order": "gallery_pages.position",
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": "Figure",  # they are shown
    "image_scrapers": ("matplotlib", "gallery_pages.scrape"),
    "matplotlib_animations": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "anynet"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
WITHOUT_SIDEBAR = (  # pages without pages below them
    "index",
    "start",
    "mathematics",
    "browser",
    "extending",
    "design",
    "glossary",
    "changelog",
    "contributing",
)
html_sidebars = {page: [] for page in WITHOUT_SIDEBAR}
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
