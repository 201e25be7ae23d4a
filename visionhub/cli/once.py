"""Options that take one value are given once: of two the parser would drop the first in silence."""

from __future__ import annotations

from collections import Counter
from typing import Any

from typer.core import TyperCommand


class Once(TyperCommand):
    """A command that refuses `-t labels -t text`, where `-t labels,text` is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (each Typer's own)
        """As Typer does it, after a look at what was typed."""
        _, _, order = self.make_parser(ctx).parse_args(args=[*args])
        for param, times in Counter(order).items():
            single = not (getattr(param, "multiple", True) or getattr(param, "is_flag", True))
            if single and times > 1:  # an argument is neither
                ctx.fail(
                    f"{max(param.opts, key=len)} is given {times} times, and takes one value. "
                    f"Where it takes several words, put commas between them."
                )
        return super().parse_args(ctx, args)
