"""`visionhub compare --html`: a comparison on one page, with the photographs it comes from."""

from visionhub.report.compared_page.page import check_name, compared_page

__all__ = ["check_name", "compared_page"]
