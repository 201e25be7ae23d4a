"""A page as its elements, for tests that read one."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "img", "link", "input", "br", "path", "rect"}
LOADING = ("link", "iframe", "object", "embed", "base")


class Page(HTMLParser):
    """Every element with its attributes, and whether tags close in order. texts: all there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.data: list[tuple[str, str]] = []
        self._block = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._block = dict(attrs).get("class") or "" if tag == "script" else ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data.append((self._block, data))
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """What is read."""
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """The attributes of every such element; wanted: some that it has (`class_` for class)."""
        asked = {name.rstrip("_"): value for name, value in wanted.items()}
        return [a for t, a in self.elements if t == tag and asked.items() <= a.items()]


def check_harmless(page: Page) -> None:
    """Nothing in it loads or runs anything, and all that was opened is closed."""
    assert page.open == []
    for tag, attributes in page.elements:
        assert tag not in LOADING
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name in ("src", "href", "action", "data", "xlink:href"):
            address = attributes.get(name) or ""
            assert address.startswith(("data:image/jpeg;base64,", "#")) or not address
