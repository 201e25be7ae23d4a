"""What another process was asking is asked later: in the calls in which it would have been sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.conftest import jpeg
from tests.toy import Toy
from visionhub.engine.ask import Parsed
from visionhub.engine.intake import Prepared, Todo
from visionhub.engine.plan import Ask, plan
from visionhub.engine.run import Run
from visionhub.images import Limits, render
from visionhub.provider import Provider, Request
from visionhub.store.ledger import Away
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile


def test_of_an_image_it_is_asked_together(
    tmp_path: Path, use: Callable[[Provider], Provider]
) -> None:
    """Labels and objects of one picture are one unit of one call: apart they would be two."""
    use(Toy())
    planned = plan(Ask(("toy",), ("labels", "objects")), lambda _: None)
    with StudyFile(tmp_path / "study.db", write=True) as study:
        run = Run(study, planned, Recorder.start(study, "0", {}))
        labels, objects = run.questions
        for image_id in (1, 2):
            facts, sent = render(jpeg(60, 60, image_id), Limits())
            todo = Todo("x.jpg", sent.sha256, image_id, (labels, objects))
            for question_id, question in run.questions.items():
                request = Request(
                    *(sent.sha256, sent.sha256, sent.width, sent.height),
                    *(question.task, "toy", question.revision, question.parameters),
                )
                run.keeping.expect(request, question_id, Prepared(todo, facts, sent))
                run._take([Parsed(request, None, away=Away.HELD)])
        again = [(todo.image_id, todo.questions) for todo in run._later.next()]
    assert again == [(1, (labels, objects)), (2, (labels, objects))]
