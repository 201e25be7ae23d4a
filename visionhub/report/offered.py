"""What the installed providers offer, as rows."""

from __future__ import annotations

from visionhub import registry


def offered() -> list[dict[str, str]]:
    """One row for each provider and task, every value as text."""
    return [
        {
            "provider": name,
            "task": task.value,
            "scale": spec.scale.value,
            "floor": "" if spec.floor is None else f"{spec.floor:g}",
            "vocabulary": spec.vocabulary,
            "parameters": ", ".join(
                f"{key}={parameter.default}"
                for key, parameter in spec.parameters.items()
                if key != "attributes"
            ),
            "sensitive": ", ".join(spec.sensitive),
        }
        for name, provider in registry.installed().items()
        for task, spec in provider.tasks.items()
    ]
