"""The money terms of a run: every line has a price, one currency, a cap and claims that hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from visionhub_rekognition.faults import REGION

from visionhub import registry
from visionhub.engine.plan import Ask, question
from visionhub.engine.terms import Terms, make_terms
from visionhub.errors import UsageError
from visionhub.pricing import PriceTable
from visionhub.provider import Provider
from visionhub.schema import Task
from visionhub.store.items import Question

TODAY = date(2026, 11, 23)
BOTH = ("google.labels", "google.text", "rekognition.labels", "rekognition.colors")


def providers(names: set[str], region: str) -> dict[str, Provider]:
    found = {name: registry.get(name) for name in names}
    for name, provider in found.items():
        provider.configure({"region": region} if name == "rekognition" else {})
    return found


def terms(
    *asked: str, ask: Ask | None = None, region: str = "us-east-1", today: date = TODAY
) -> tuple[Terms | None, list[str]]:
    """The terms of asking "provider.task", and what was announced."""
    pairs = [name.split(".") for name in asked]
    made = providers({name for name, _ in pairs}, region)
    questions: list[Question] = []
    for name, task in pairs:
        spec = made[name].tasks[Task(task)]
        defaults = {key: parameter.default for key, parameter in spec.parameters.items()}
        questions.append(question(made[name], Task(task), defaults))
    said: list[str] = []
    return make_terms(ask or Ask(), made, questions, today, said.append), said


def refusal(*asked: str, ask: Ask | None = None, region: str = "us-east-1") -> str:
    with pytest.raises(UsageError) as caught:
        terms(*asked, ask=ask, region=region)
    return str(caught.value)


def test_every_line_that_is_asked_has_its_price() -> None:
    made, said = terms(*BOTH, "rekognition.objects", ask=Ask(max_cost="5 USD"))
    assert made is not None
    assert set(made.lines) == {
        ("google", "LABEL_DETECTION"),
        ("google", "TEXT_DETECTION"),
        ("rekognition", "DetectLabels"),
        ("rekognition", "IMAGE_PROPERTIES"),
    }
    assert (made.cap, made.currency, made.free, made.retry) == (5_000_000, "USD", {}, False)
    assert made.table.sha256 == PriceTable.packaged().sha256
    assert said == []


def test_without_a_named_cap_there_is_none_and_retry_is_asked_for() -> None:
    made, _ = terms("google.labels", ask=Ask(on_ambiguous="retry"))
    assert made is not None
    assert made.cap is None
    assert made.retry
    assert terms("google.labels", ask=Ask(max_cost="0"))[0].cap == 0  # type: ignore[union-attr]


def test_what_is_free_of_charge_has_no_terms() -> None:
    assert terms("embedded.labels") == (None, [])
    assert "is free of charge" in refusal(
        "embedded.labels", ask=Ask(assume_free={"embedded.labels": "5"})
    )


def test_all_lines_without_a_price_are_named() -> None:
    said = refusal(*BOTH, region="eu-west-1")
    for part in ("DetectLabels", "IMAGE_PROPERTIES", "eu-west-1", "visionhub prices --toml"):
        assert part in said
    assert "google" not in said


def test_a_region_that_is_not_set_is_named_as_the_cause() -> None:
    said = refusal(*BOTH, region="")
    assert "DetectLabels, IMAGE_PROPERTIES, for no region is set (a price is known for us" in said
    assert said.count("no region is set") == 1
    for part in ("--set rekognition.region=us-east-1", "AWS_REGION"):
        assert part in said
    assert "prices --toml" not in said  # a row for no region would be of no use


def test_the_region_that_is_named_as_an_example_has_prices() -> None:
    for text in (REGION, registry.get("rekognition").settings["region"].help):
        assert any(region in text for region in PriceTable.packaged().regions("rekognition"))


def own_table(tmp_path: Path, **changes: object) -> Path:
    """A user's table: the packaged one, changed in every Rekognition line."""
    table = PriceTable.packaged()
    changed = [replace(p, **changes) if p.provider == "rekognition" else p for p in table]
    path = tmp_path / "my-prices.toml"
    path.write_text(PriceTable(changed, "mine").text)
    return path


def test_a_table_of_ones_own_adds_a_region(tmp_path: Path) -> None:
    path = own_table(tmp_path, region="eu-west-1")
    made, _ = terms("rekognition.labels", ask=Ask(prices=path), region="eu-west-1")
    assert made is not None
    assert made.lines["rekognition", "DetectLabels"].region == "eu-west-1"


def test_a_run_has_one_currency(tmp_path: Path) -> None:
    path = own_table(tmp_path, currency="EUR")
    said = refusal(*BOTH, ask=Ask(prices=path))
    assert "google LABEL_DETECTION in USD" in said
    assert "rekognition DetectLabels in EUR" in said
    made, _ = terms("rekognition.labels", ask=Ask(prices=path, max_cost="2 eur"))
    assert made is not None
    assert made.currency == "EUR"


def test_the_cap_is_in_the_currency_of_the_prices() -> None:
    said = refusal("google.labels", ask=Ask(max_cost="5 EUR"))
    assert "--max-cost 5 EUR" in said
    assert "USD" in said
    assert "--max-cost 'five' is no amount" in refusal("google.labels", ask=Ask(max_cost="five"))
    assert "--max-cost True is no amount" in refusal("google.labels", ask=Ask(max_cost=True))
    assert "--max-cost 0.1234567: at most" in refusal("google.labels", ask=Ask(max_cost=0.1234567))


def test_old_prices_are_told_and_then_refused() -> None:
    _, said = terms("google.labels", "rekognition.labels", today=date(2027, 1, 20))
    assert len(said) == 1
    assert "rekognition" in said[0]
    assert terms("google.labels", today=date(2027, 1, 20))[1] == []
    with pytest.raises(UsageError, match="--old-prices"):
        terms("google.labels", today=date(2027, 12, 1))
    made, said = terms("google.labels", ask=Ask(old_prices=True), today=date(2027, 12, 1))
    assert made is not None
    assert said[0].startswith("WARNING")


def test_a_claim_goes_to_the_pool() -> None:
    claimed = {"google.labels": "1000", "rekognition.labels": "1", "rekognition.faces": "1"}
    asked = ("google.labels", "rekognition.labels", "rekognition.faces")
    made, _ = terms(*asked, ask=Ask(assume_free=claimed))
    assert made is not None
    assert made.free == {("google", "LABEL_DETECTION"): 1000, ("rekognition", "group-2"): 1}


@pytest.mark.parametrize(
    ("key", "number", "says"),
    [
        ("google.labels", "1001", "1 to 1,000"),
        ("google.labels", "0", "1 to 1,000"),
        ("google.labels", "-1", "1 to 1,000"),
        ("google.labels", "many", "1 to 1,000"),
        ("google.labels", "9" * 5_000, "1 to 1,000"),
        ("google.labels", "²", "1 to 1,000"),
        ("google.faces", "1000", "is not asked here; charged for: google.labels"),
        ("labels", "1000", "is not asked here"),
        ("rekognition.colors", "10", "no free units a month are known"),
    ],
)
def test_a_claim_that_cannot_be(key: str, number: str, says: str) -> None:
    said = refusal(*BOTH, ask=Ask(assume_free={key: number}))
    assert f"--assume-free {key}={number}" in said
    assert says in said


def test_claims_on_one_pool_agree() -> None:
    claimed = {"rekognition.labels": "400", "rekognition.faces": "401"}
    said = refusal("rekognition.labels", "rekognition.faces", ask=Ask(assume_free=claimed))
    assert "shares one free allowance ('group-2')" in said


def test_what_is_done_with_ambiguous_requests_is_one_of_three() -> None:
    said = refusal("google.labels", ask=Ask(on_ambiguous="always"))
    assert "skip, retry, ask" in said


def test_what_is_free_of_charge_does_not_hide_what_comes_after_it() -> None:
    made, _ = terms("embedded.labels", "google.labels")
    assert made is not None
    assert set(made.lines) == {("google", "LABEL_DETECTION")}


def test_a_claim_where_nothing_is_charged_for_is_told_so() -> None:
    said = refusal("embedded.labels", ask=Ask(assume_free={"google.labels": "5"}))
    assert said.endswith("charged for: none.")


@pytest.mark.parametrize("policy", ["skip", "ask", "retry"])
def test_each_policy_for_ambiguous_requests_is_known(policy: str) -> None:
    made, _ = terms("google.labels", ask=Ask(on_ambiguous=policy))
    assert made is not None
    assert made.retry == (policy == "retry")
