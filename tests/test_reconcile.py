"""`visionhub ledger reconcile`: bills of both vendors beside ledgers, and what is made certain."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.ledgers import check_sums
from tests.spender import DETECT_FACES, DETECT_LABELS, LABELS, SAFE, TEXT, Spender
from visionhub import registry
from visionhub.cli import app
from visionhub.errors import StudyError, UnknownProvider, UsageError
from visionhub.pricing import PriceTable
from visionhub.report.billing import read_bills
from visionhub.report.books import Key, claimed
from visionhub.report.quoted import ambiguous as asks
from visionhub.report.reconcile import ABOVE, ABSENT, DEARER, EARLY, WITHIN, reconciled
from visionhub.report.reconciled import sections
from visionhub.report.spending import ambiguous
from visionhub.store.holding import billed, in_doubt
from visionhub.store.ledger import Away, State
from visionhub.store.ledger_reconcile import Certain, resolve
from visionhub.store.study import StudyFile

TODAY = date(2026, 12, 1)
DAY, NEXT = "2026-11-23", "2026-11-24"
GOOGLE_SKUS = {
    LABELS: "Label Detection Operations",
    SAFE: "Safe Search Detection Operations",
    TEXT: "Document Text Detection Operations",
}
AWS_1 = (
    "identity/LineItemId",
    "lineItem/UsageStartDate",
    "lineItem/UsageEndDate",
    "lineItem/ProductCode",
    "lineItem/UsageType",
    "lineItem/Operation",
    "lineItem/LineItemType",
    "lineItem/UsageAmount",
    "lineItem/CurrencyCode",
    "lineItem/UnblendedCost",
    "product/regionCode",
)
AWS_2 = (
    "identity_line_item_id",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_operation",
    "line_item_line_item_type",
    "line_item_usage_amount",
    "line_item_currency_code",
    "line_item_unblended_cost",
    "product_region_code",
)


def aws(
    operation: str,
    units: str,
    cost: str,
    *,
    hour: str = f"{DAY}T12",
    kind: str = "Usage",
    usage: str = "USE1-ImagesProcessed",
    product: str = "AmazonRekognition",
    region: str = "us-east-1",
) -> tuple[str, ...]:
    ends = f"{hour}:59:59Z"
    start = f"{hour}:00:00Z"
    return ("x", start, ends, product, usage, operation, kind, units, "USD", cost, region)


LATER_AWS = aws("GetObject", "3", "0.01", hour="2026-11-26T00", product="AmazonS3", usage="S3")


def csv_text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([head, *rows])
    return out.getvalue()


def google(
    sku: str, units: str, cost: str, *, hour: str = f"{DAY} 20", service: str = "Cloud Vision API"
) -> dict[str, Any]:
    return {
        "service": {"id": "1", "description": service},
        "sku": {"id": "2", "description": GOOGLE_SKUS.get(sku, sku)},
        "usage_start_time": f"{hour}:00:00 UTC",
        "usage_end_time": f"{hour}:59:59 UTC",
        "cost": float(cost),
        "currency": "USD",
        "usage": {"amount": float(units), "unit": "requests"},
        "credits": [],
        "cost_type": "regular",
    }


LATER = google("Storage", "1", "0", hour="2026-11-27 00", service="Cloud Storage")


def write_google(path: Path, *rows: dict[str, Any]) -> Path:
    target = path / "bill.jsonl"
    target.write_text("".join(json.dumps(row) + "\n" for row in (*rows, LATER)))
    return target


def write_aws(path: Path, *rows: tuple[str, ...]) -> Path:
    target = path / "bill.csv"
    target.write_text(csv_text(AWS_1, [*rows, LATER_AWS]))
    return target


@pytest.fixture
def spender(tmp_path: Path) -> Spender:
    """On one day: two answered, one refused, two lost; labels only."""
    one = Spender(tmp_path / "study.db")
    one.call(1, [LABELS], State.SETTLED)
    one.call(2, [LABELS], State.SETTLED)
    one.call(3, [LABELS], State.RELEASED)
    one.call(4, [LABELS], State.UNKNOWN, why="timed out")
    one.call(5, [LABELS], State.UNKNOWN, why="reset")
    return one


def compare(spender: Spender, export: Path, *, apply: bool = False, **more: Any) -> dict[str, Any]:
    given = {"provider": None, "prices": None, "today": TODAY, **more}
    found = reconciled(spender.path, export, apply=apply, **given)
    with StudyFile(spender.path) as study:
        check_sums(study)
    return found


def states(spender: Spender) -> dict[int, str]:
    with StudyFile(spender.path) as study:
        return dict(study.query("SELECT image_id, state FROM charges ORDER BY image_id").rows)


def account(spender: Spender) -> tuple[int, ...]:
    with StudyFile(spender.path) as study:
        return study.query("SELECT settled, unknown, held FROM accounts").rows[0]


def test_all_forms_of_an_export_say_the_same(tmp_path: Path) -> None:
    rows = [aws(DETECT_LABELS, "2.0", "2.0E-3"), aws("x", "1", "0.5", kind="Tax"), LATER_AWS]
    first, second, packed = (tmp_path / name for name in ("1.csv", "2.csv", "2.csv.gz"))
    first.write_text("\ufeff" + csv_text(AWS_1, rows))
    plain = [[cell.replace("Z", ".000Z") for cell in row] for row in rows]
    second.write_text(csv_text(AWS_2, plain))
    packed.write_bytes(gzip.compress(second.read_bytes()))
    bills = list(read_bills(first))
    assert [(b.units, b.cost, b.currency, b.region) for b in bills] == [
        (2, Decimal("0.002"), "USD", "us-east-1"),
        (3, Decimal("0.01"), "USD", "us-east-1"),
    ]
    assert list(read_bills(second)) == bills
    assert list(read_bills(packed)) == bills


def test_an_array_says_the_same_as_lines(tmp_path: Path) -> None:
    rows = [google(LABELS, "7", "0.0105"), google(TEXT, "2", "0.003")]
    bills = list(read_bills(write_google(tmp_path, *rows)))
    for indent in (None, 2):
        array = tmp_path / "bill.json"
        array.write_text(json.dumps([*rows, LATER], indent=indent))
        assert list(read_bills(array)) == bills


def test_a_provider_that_nobody_knows_is_refused(
    spender: Spender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = write_google(tmp_path, google(LABELS, "4", "0.006"))
    before = states(spender)
    with pytest.raises(UnknownProvider, match="No provider named 'foo'") as caught:
        compare(spender, export, provider="foo", apply=True)
    assert caught.value.exit_code == 2
    assert states(spender) == before
    assert compare(spender, export, provider="rekognition")["days"] == []  # installed, never asked
    monkeypatch.setattr(registry, "_found", dict)  # asked once, and no longer installed
    assert len(compare(spender, export, provider="google")["days"]) == 1


def test_both_forms_of_the_other_export_say_the_same(tmp_path: Path) -> None:
    lines = tmp_path / "bill.json"
    tax = google(LABELS, "1", "1") | {"cost_type": "tax"}
    lines.write_text(json.dumps(google(LABELS, "7", "0.0105")) + "\n\n" + json.dumps(tax) + "\n")
    head = ("usage_start_time", "usage_end_time", "service.description", "sku_description")
    head = (*head, "usage.amount", "cost", "currency", "cost_type")
    row = (f"{DAY} 20:00:00 UTC", f"{DAY} 20:59:59 UTC", "Cloud Vision API", GOOGLE_SKUS[LABELS])
    table = tmp_path / "bill.csv"
    table.write_text(csv_text(head, [(*row, "7.0", "0.0105", "USD", "regular")]))
    (bill,) = read_bills(lines)
    assert (bill.units, bill.cost) == (7, Decimal("0.0105"))
    assert list(read_bills(table)) == [bill]


@pytest.mark.parametrize(
    ("units", "cost", "verdict", "certain", "difference"),
    [
        ("2", "0.003", WITHIN, "released", -2),
        ("4", "0.006", WITHIN, "settled", 0),
        ("3", "0.0045", WITHIN, None, -1),
        ("1", "0.0015", WITHIN, None, -3),
        ("5", "0.0075", ABOVE, None, 1),
        ("4", "0.0061", DEARER, "settled", 0),
    ],
)
def test_verdicts(
    spender: Spender,
    tmp_path: Path,
    units: str,
    cost: str,
    verdict: str,
    certain: str | None,
    difference: int,
) -> None:
    export = write_google(tmp_path, google(LABELS, units, cost))
    before = states(spender)
    (entry,) = compare(spender, export)["days"]
    assert (entry["day"], entry["lines"]) == (DAY, [LABELS])
    assert (entry["settled"], entry["unknown"], entry["held"]) == (2, 2, 0)
    assert (entry["billed"], entry["difference"]) == (int(units), difference)
    assert entry["charged"] == 6_000
    assert entry["billed_cost"] == Decimal(cost) * 1_000_000
    assert (entry["verdict"], entry["certain"]) == (verdict, certain)
    assert states(spender) == before


def test_what_is_not_on_the_bill_is_released(spender: Spender, tmp_path: Path) -> None:
    export = write_google(tmp_path, google(LABELS, "1", "0.0015"), google(LABELS, "1", "0.0015"))
    assert account(spender) == (6_000, 3_000, 0)
    compare(spender, export, apply=True)
    assert states(spender) == {1: "settled", 2: "settled", 3: "released"} | dict.fromkeys(
        (4, 5), "released"
    )
    assert account(spender) == (3_000, 0, 0)
    with StudyFile(spender.path) as study:
        reasons = study.query("SELECT reason FROM charges WHERE image_id = 4").rows
    assert reasons == [("not on the bill; timed out",)]
    assert spender.call(4, [LABELS], State.SETTLED).granted


@pytest.mark.parametrize(
    ("units", "ends"), [("2", "released"), ("3", "unknown"), ("4", "unknown"), ("5", "settled")]
)
def test_a_call_that_was_answered_with_an_error_may_be_on_the_bill_or_not(
    spender: Spender, tmp_path: Path, units: str, ends: str
) -> None:
    """Two answered, one refused image, two lost: three units can be any of the last three."""
    spender.call(6, [LABELS], State.SETTLED, why="Bad image data (code 3)")
    compare(spender, write_google(tmp_path, google(LABELS, units, "0")), apply=True)
    assert {states(spender)[4], states(spender)[5]} == {ends}
    assert states(spender)[6] == "settled"


def test_what_is_on_the_bill_is_settled_and_not_asked_again_by_itself(
    spender: Spender, tmp_path: Path
) -> None:
    export = write_google(tmp_path, google(LABELS, "4", "0.006"))
    compare(spender, export, apply=True)
    assert states(spender)[4] == "settled"
    assert account(spender) == (6_000, 0, 0)
    lost = "charged, without an answer"
    assert in_doubt_and_billed(spender) == ([], [("USD", 2, 3_000)], {4: lost, 5: lost})
    skipped = spender.call(4, [LABELS], None)
    assert not skipped.granted
    assert set(skipped.away.values()) == {Away.BILLED}
    assert spender.call(4, [LABELS], State.SETTLED, retry=True).granted
    assert in_doubt_and_billed(spender) == ([], [("USD", 1, 1_500)], {5: lost})


def in_doubt_and_billed(
    spender: Spender,
) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]], dict[int, str]]:
    """What `--on-ambiguous ask` goes by, and what `visionhub ledger ambiguous` says of images."""
    with StudyFile(spender.path) as study:
        listed = {int(entry["path"][5:-4]): entry["now"] for entry in ambiguous(study)}
        return in_doubt(study, datetime.now(UTC)), billed(study), listed


def test_requests_that_are_charged_are_listed_with_what_can_be_done(
    spender: Spender, tmp_path: Path
) -> None:
    compare(spender, write_google(tmp_path, google(LABELS, "4", "0.006")), apply=True)
    arguments = ["ledger", "ambiguous", "--study", str(spender.path)]
    said = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    assert "2 requests charged, without an answer, as the bill shows" in said
    assert "still open" not in said
    assert "2 requests of earlier runs were, as the bill shows, charged for" in asks(spender.path)
    spender.call(6, [LABELS], State.UNKNOWN)
    said = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    assert "1 request, 1 still open" in said
    assert "2 requests charged" in said
    assert asks(spender.path).startswith("1 request of earlier runs may have been charged for")
    assert "; 2 requests of earlier runs were, as the bill shows, charged" in asks(spender.path)


@pytest.mark.parametrize("units", ["1", "3", "5", "2.5"])
def test_a_bill_that_proves_nothing_changes_nothing(
    spender: Spender, tmp_path: Path, units: str
) -> None:
    before = states(spender)
    compare(spender, write_google(tmp_path, google(LABELS, units, "0")), apply=True)
    assert states(spender) == before


def test_a_day_is_complete_only_when_it_is_over_and_the_export_goes_on(
    spender: Spender, tmp_path: Path
) -> None:
    export = tmp_path / "short.jsonl"
    export.write_text(json.dumps(google(LABELS, "2", "0.003")) + "\n")
    before = states(spender)
    (entry,) = compare(spender, export, apply=True)["days"]
    assert (entry["verdict"], entry["certain"]) == (EARLY, None)
    whole = write_google(tmp_path, google(LABELS, "2", "0.003"))
    (entry,) = compare(spender, whole, apply=True, today=date(2026, 11, 24))["days"]
    assert (entry["verdict"], entry["certain"]) == (EARLY, None)
    assert states(spender) == before
    (entry,) = compare(spender, whole, today=date(2026, 11, 25))["days"]
    assert entry["certain"] == "released"


def test_a_line_that_the_export_never_names_proves_nothing(
    spender: Spender, tmp_path: Path
) -> None:
    one = Spender(tmp_path / "lost.db")
    one.call(1, [LABELS], State.UNKNOWN)
    export = write_google(tmp_path, google("Etikettenerkennung", "1", "0.0015"))
    found = compare(one, export, apply=True)
    (entry,) = found["days"]
    assert (entry["verdict"], entry["certain"]) == (ABSENT, None)
    assert states(one) == {1: "unknown"}
    assert found["unclaimed"] == [{"words": "Cloud Vision API Etikettenerkennung", "units": 1}]


def test_words_of_ones_own_claim_a_line(spender: Spender, tmp_path: Path) -> None:
    line = spender.price(LABELS)
    own = tmp_path / "my.toml"
    own.write_text(PriceTable([replace(line, billing=("vision etiketten",))], "mine").text)
    export = write_google(tmp_path, google("Etikettenerkennung", "4", "0.006"))
    found = compare(spender, export, prices=own)
    assert found["days"][0]["certain"] == "settled"
    assert found["unclaimed"] == []


def test_what_is_still_held_is_left_alone(spender: Spender, tmp_path: Path) -> None:
    export = write_google(tmp_path, google(LABELS, "2", "0.003"))
    with (
        StudyFile(spender.path, write=True, shared=True) as study,
        spender.open(study, None) as ledger,
    ):
        ledger.reserve(spender.wanted(6, [LABELS]))
        (entry,) = compare(spender, export)["days"]
        assert (entry["held"], entry["certain"]) == (1, None)
        with pytest.raises(StudyError, match="Another visionhub process"):
            compare(spender, export, apply=True)


@pytest.mark.parametrize(("units", "ends"), [("2", "released"), ("4", "settled"), ("3", "unknown")])
def test_what_a_killed_process_holds_is_in_doubt_and_ends_as_the_bill_says(
    spender: Spender, tmp_path: Path, units: str, ends: str
) -> None:
    with closing(sqlite3.connect(spender.path)) as sql:
        sql.execute("UPDATE charges SET state = 'held', charge = 0 WHERE state = 'unknown'")
        sql.execute("UPDATE attempts SET ended_at = NULL WHERE id IN (4, 5)")
        sql.execute("UPDATE owners SET ended_at = NULL, started = '1'")
        sql.commit()
    export = write_google(tmp_path, google(LABELS, units, "0"))
    before = states(spender)
    found = compare(spender, export)
    (entry,) = found["days"]
    assert (entry["settled"], entry["unknown"], entry["held"]) == (2, 2, 0)
    assert (entry["charged"], entry["certain"], found["killed"]) == (
        6_000,
        None if ends == "unknown" else ends,
        2,
    )
    assert "2 requests that a killed run still held count as unknown" in str(list(sections(found)))
    assert states(spender) == before
    found = compare(spender, export, apply=True)
    assert found["days"] == [entry]
    assert "2 requests that a killed run still held became unknown" in str(list(sections(found)))
    assert states(spender) == {**before, 4: ends, 5: ends}
    assert account(spender)[2] == 0
    with StudyFile(spender.path) as study:
        check_sums(study)
    assert compare(spender, export, apply=True)["killed"] == 0


def test_days_are_those_of_the_billing_zone(tmp_path: Path) -> None:
    one = Spender(tmp_path / "study.db")
    one.clock.now += 19 * 3600  # 07:00 UTC of the next day: 23:00 in California
    one.call(1, [LABELS], State.SETTLED)
    one.call(2, [LABELS], State.UNKNOWN)
    one.clock.now += 3600
    one.call(3, [LABELS], State.UNKNOWN)
    export = write_google(
        tmp_path,
        google(LABELS, "1", "0.0015", hour=f"{NEXT} 07"),
        google(LABELS, "1", "0.0015", hour=f"{NEXT} 08"),
    )
    found = compare(one, export, apply=True)["days"]
    assert [(e["day"], e["settled"], e["unknown"], e["billed"]) for e in found] == [
        (DAY, 1, 1, 1),
        (NEXT, 0, 1, 1),
    ]
    assert states(one) == {1: "settled", 2: "released", 3: "settled"}


def test_what_is_free_beside_another_line_follows_it(tmp_path: Path) -> None:
    one = Spender(tmp_path / "study.db")
    one.call(1, [LABELS, SAFE], State.SETTLED)
    one.call(2, [LABELS, SAFE], State.UNKNOWN)
    export = write_google(tmp_path, google(LABELS, "1", "0.0015"), google(SAFE, "2", "0"))
    found = compare(one, export, apply=True)["days"]
    by_line = {entry["lines"][0]: entry["verdict"] for entry in found}
    assert by_line == {LABELS: WITHIN, SAFE: WITHIN}
    with StudyFile(one.path) as study:
        rows = study.query("SELECT DISTINCT image_id, state FROM charges ORDER BY 1").rows
    assert rows == [(1, "settled"), (2, "released")]


def test_a_free_line_stays_while_its_neighbour_is_in_doubt(tmp_path: Path) -> None:
    one = Spender(tmp_path / "study.db")
    one.call(1, [LABELS, SAFE, TEXT], State.UNKNOWN)
    export = write_google(tmp_path, google(LABELS, "1", "0.0015"), google(TEXT, "2", "0.003"))
    compare(one, export, apply=True)
    with StudyFile(one.path) as study:
        rows = study.query("SELECT task, state FROM v_ledger ORDER BY task").rows
    assert rows == [("labels", "settled"), ("safe_search", "unknown"), ("text", "unknown")]


def test_a_rehearsal_is_on_nobodys_bill(tmp_path: Path) -> None:
    one = Spender(tmp_path / "study.db", rehearsal=True)
    one.call(1, [LABELS], State.UNKNOWN)
    export = write_google(tmp_path, google(LABELS, "1", "0.0015"))
    assert compare(one, export, apply=True)["days"] == []
    assert states(one) == {1: "unknown"}
    result = CliRunner().invoke(app, ["ledger", "reconcile", str(export), "-s", str(one.path)])
    assert "nothing to compare" in result.stdout


def both_clouds(tmp_path: Path) -> Spender:
    one = Spender(tmp_path / "both.db")
    one.call(1, [LABELS], State.SETTLED)
    one.call(1, [DETECT_LABELS], State.SETTLED)
    one.call(2, [DETECT_LABELS], State.UNKNOWN)
    one.call(1, [DETECT_FACES], State.SETTLED)
    return one


def test_lines_are_told_by_their_operation(tmp_path: Path) -> None:
    one = both_clouds(tmp_path)
    export = write_aws(
        tmp_path, aws(DETECT_LABELS, "1.0", "0.001"), aws(DETECT_FACES, "1.0", "0.001")
    )
    found = compare(one, export, provider="rekognition", apply=True)["days"]
    assert [(e["lines"], e["billed"], e["certain"]) for e in found] == [
        ([DETECT_FACES], 1, None),
        ([DETECT_LABELS], 1, "released"),
    ]


def test_lines_in_one_row_of_the_bill_are_compared_together(tmp_path: Path) -> None:
    one = both_clouds(tmp_path)
    group = aws("", "3.0", "0.003", usage="USE1-Group2-ImagesProcessed")
    found = compare(one, write_aws(tmp_path, group), apply=True)["days"]
    entries = {tuple(e["lines"]): e for e in found}
    (lines,) = [lines for lines in entries if DETECT_FACES in lines]
    assert DETECT_LABELS in lines
    entry = entries[lines]
    assert (entry["settled"], entry["unknown"], entry["billed"]) == (2, 1, 3)
    assert entry["certain"] == "settled"
    assert entries[LABELS,]["verdict"] == ABSENT
    with StudyFile(one.path) as study:
        assert study.query("SELECT count(*) FROM charges WHERE state = 'unknown'").rows == [(0,)]


def test_another_region_is_another_line(tmp_path: Path) -> None:
    one = both_clouds(tmp_path)
    elsewhere = aws(DETECT_LABELS, "1.0", "0.001", region="eu-west-1", usage="EU-ImagesProcessed")
    found = compare(one, write_aws(tmp_path, elsewhere), provider="rekognition")
    assert {entry["verdict"] for entry in found["days"]} == {ABSENT}
    assert len(found["unclaimed"]) == 1


def test_spend_that_visionhub_did_not_cause_is_told(spender: Spender, tmp_path: Path) -> None:
    spender.clock.now += 2 * 86_400
    spender.call(6, [LABELS], State.SETTLED)
    export = write_google(
        tmp_path,
        google(LABELS, "4", "0.006"),
        google(TEXT, "9", "0.0135", hour=f"{NEXT} 20"),
        google(LABELS, "1", "0.0015", hour="2026-11-25 20"),
        google(LABELS, "99", "0.1", hour="2026-11-01 20"),  # before the study
    )
    found = compare(spender, export)["days"]
    assert [(e["day"], e["lines"], e["verdict"]) for e in found] == [
        (DAY, [LABELS], WITHIN),
        (NEXT, [TEXT], ABOVE),
        ("2026-11-25", [LABELS], WITHIN),
    ]


def test_all_lines_of_the_packaged_table_are_told_apart() -> None:
    lines = {Key(*price.key): price for price in PriceTable.packaged()}
    for key in lines:
        if key.provider == "rekognition" and key.sku != "IMAGE_PROPERTIES":
            assert claimed(lines, f"{key.sku} USE1 AmazonRekognition", "us-east-1") == (key,)
    for sku, words in GOOGLE_SKUS.items():
        found = claimed(lines, f"Cloud Vision API {words}", "us")
        assert [key.sku for key in found] == [sku]
    assert claimed(lines, "Cloud Video Intelligence API Label Detection", "") == ()


def test_a_row_of_a_month_is_refused(spender: Spender, tmp_path: Path) -> None:
    row = google(LABELS, "4", "0.006") | {"usage_end_time": "2026-12-01 00:00:00 UTC"}
    with pytest.raises(UsageError, match="by hour or by day"):
        compare(spender, write_google(tmp_path, row))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no rows"),
        (b"a,b\n1,2\n", "lacks line_item_usage_start_date"),
        (b"usage_start_time,cost\n1,2\n", "lacks usage_amount"),
        (b"PAR1\xff\xfe\x00", "export it as CSV or as JSON lines"),
        (b'{"cost": 1\n', "cannot be read"),
        (b'{"cost": 1}\n[1]\n', "lacks"),
        (b"[1]", "cannot be read: an item is no JSON object"),
        (b"[]", "holds no rows"),
        (b'[{"cost": 1}', "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'[{"cost": 1}]', "lacks"),
        (gzip.compress(b"a,b\n" * 99, mtime=0)[:-9], "bill"),
    ],
)
def test_files_that_are_no_export(spender: Spender, tmp_path: Path, data: bytes, says: str) -> None:
    export = tmp_path / "bill"
    export.write_bytes(data)
    with pytest.raises(UsageError, match="bill") as caught:
        compare(spender, export)
    assert says in str(caught.value)


def test_a_row_that_cannot_be_read_is_named(spender: Spender, tmp_path: Path) -> None:
    for bad in (
        aws("x", "many", "1"),
        aws("x", "nan", "1"),
        aws("x", "1", "9e99"),
        aws("x", "1", "1", hour="noon"),
    ):
        export = write_aws(tmp_path, aws(DETECT_LABELS, "1", "1"), bad)
        with pytest.raises(UsageError, match=r"bill\.csv', row 2, cannot be read") as caught:
            compare(spender, export)
        assert "class" not in str(caught.value)  # as Python words it


def test_nothing_is_made_where_no_study_is(tmp_path: Path) -> None:
    export = write_google(tmp_path, google(LABELS, "1", "1"))
    missing = tmp_path / "none.db"
    with pytest.raises(StudyError, match=r"none\.db"):
        reconciled(missing, export, None, None, apply=True)
    assert not missing.exists()


def test_a_ledger_that_has_changed_meanwhile_is_not_touched(spender: Spender) -> None:
    before = states(spender)
    times = (f"{DAY}T08:00:00Z", f"{NEXT}T08:00:00Z")
    right = Certain("google", ((LABELS, "*"),), *times, State.RELEASED, 2)
    with StudyFile(spender.path, write=True) as study:
        with pytest.raises(StudyError, match="has changed since"):
            resolve(study, [right, right])
        assert states(spender) == before
        assert resolve(study, [right]) == 2


def test_the_command_says_what_it_would_do_and_did(tmp_path: Path) -> None:
    one = Spender(tmp_path / "study.db")
    one.clock.now -= 30 * 86_400  # over, by the real clock too
    one.call(1, [LABELS], State.SETTLED)
    one.call(2, [LABELS], State.UNKNOWN)
    bill = [google(sku, "1", "0.0015", hour="2026-10-24 20") for sku in (LABELS, "Other")]
    export = write_google(tmp_path, *bill)
    arguments = ["ledger", "reconcile", str(export), "--study", str(one.path)]
    text = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    for part in ("would be, with --apply, released", "Cloud Vision API Other", "0.003 USD"):
        assert part in text
    document = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False).stdout
    assert json.loads(document)["days"][0]["billed"] == 1
    assert states(one)[2] == "unknown"
    text = CliRunner().invoke(app, [*arguments, "--apply"], catch_exceptions=False).stdout
    assert "1 ambiguous unit not on the bill: was released" in text
    assert states(one)[2] == "released"
