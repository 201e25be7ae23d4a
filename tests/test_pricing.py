"""Prices: tiers and bundles against a count unit by unit, tables read strictly, money in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visionhub import registry
from visionhub.errors import UsageError
from visionhub.pricing import Amount, Price, PriceTable, Tier, day, money, month, parse_money, units
from visionhub.pricing.table import PACKAGED

TODAY = date(2026, 11, 23)
LINE = Price(
    provider="toy",
    sku="look",
    region="*",
    currency="USD",
    pool="look",
    tiers=(Tier(None, 1500),),
    free_with=(),
    free_per_month=0,
    billing_zone="UTC",
    effective_from=date(2026, 1, 1),
    source="toy.example/prices",
    retrieved=date(2026, 11, 1),
    note="",
)
ROW = """
[[price]]
provider = "toy"
sku = "look"
region = "*"
currency = "EUR"
tiers = [{ up_to = 10, micros = 7 }, { micros = 5 }]
billing_zone = "Europe/Berlin"
effective_from = 2026-01-01
source = "toy.example/prices"
retrieved = 2026-11-01
"""


def price_of_unit(tiers: Sequence[Tier], number: int) -> int | None:
    """The oracle: what the month's unit with this number costs."""
    for tier in tiers:
        if tier.up_to is None or number <= tier.up_to:
            return tier.micros
    return None


@st.composite
def some_tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.integers(1, 60), max_size=5)))
    micros = draw(st.lists(st.integers(0, 5000), min_size=len(ends) + 1, max_size=len(ends) + 1))
    tiers = [Tier(end, cost) for end, cost in zip(ends, micros, strict=False)]
    endless = not tiers or draw(st.booleans())
    return (*tiers, Tier(None, micros[-1])) if endless else tuple(tiers)


@settings(max_examples=1500)
@given(some_tiers(), st.integers(0, 80), st.integers(0, 80))
def test_the_cost_of_units_is_that_of_each_of_them(
    tiers: tuple[Tier, ...], before: int, more: int
) -> None:
    price = replace(LINE, tiers=tiers)
    each = [price_of_unit(tiers, number) for number in range(before + 1, before + more + 1)]
    if None in each:
        with pytest.raises(UsageError, match="its price ends with unit"):
            price.cost(before, more)
        return
    assert price.cost(before, more) == sum(cost for cost in each if cost is not None)
    assert price.cost(before, more) <= more * price.highest


@given(some_tiers(), st.integers(0, 50), st.integers(0, 20), st.integers(0, 20))
def test_it_does_not_matter_in_how_many_parts_units_are_charged(
    tiers: tuple[Tier, ...], before: int, first: int, second: int
) -> None:
    price = replace(LINE, tiers=(*[t for t in tiers if t.up_to is not None], Tier(None, 3)))
    parts = price.cost(before, first) + price.cost(before + first, second)
    assert parts == price.cost(before, first + second)


def test_the_highest_price_need_not_be_the_first() -> None:
    assert replace(LINE, tiers=(Tier(10, 2), Tier(20, 9), Tier(None, 4))).highest == 9


NAMES = ("a", "b", "c", "d")


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from((*NAMES, None)), max_size=8),
    st.fixed_dictionaries({name: st.sets(st.sampled_from(NAMES)) for name in NAMES}),
)
def test_a_line_is_charged_once_a_call_and_not_beside_one_that_makes_it_free(
    skus: list[str | None], bundles: dict[str, set[str]]
) -> None:
    free = {name: tuple(sorted(others - {name})) for name, others in bundles.items()}
    prices = {name: replace(LINE, sku=name, free_with=free[name]) for name in NAMES}
    charged: set[int] = set()
    for name in NAMES:  # the oracle: line by line, not request by request
        places = [n for n, sku in enumerate(skus) if sku == name]
        if places and not any(other in skus for other in free[name]):
            charged.add(places[0])
    assert units(skus, prices) == [int(n in charged) for n in range(len(skus))]


def test_the_bundles_of_both_clouds() -> None:
    table = PriceTable.packaged()
    google = {p.sku: p for p in table if p.provider == "google"}
    labels, safe, crops, colors = (
        "LABEL_DETECTION",
        "SAFE_SEARCH_DETECTION",
        "CROP_HINTS",
        "IMAGE_PROPERTIES",
    )
    assert units([safe, labels], google) == [0, 1]
    assert units([safe], google) == [1]
    assert units([crops, colors, safe], google) == [0, 1, 1]
    amazon = {p.sku: p for p in table if p.provider == "rekognition"}
    assert units(["DetectLabels", "DetectLabels", "IMAGE_PROPERTIES"], amazon) == [1, 0, 1]


def test_months_and_days_are_those_of_the_billing_zone() -> None:
    moment = datetime(2026, 12, 1, 7, 59, tzinfo=UTC)
    assert month(moment, "America/Los_Angeles") == "2026-11"
    assert day(moment, "America/Los_Angeles") == "2026-11-30"
    assert month(moment, "UTC") == "2026-12"
    with pytest.raises(ValueError, match="without its time zone"):
        month(datetime(2026, 12, 1), "UTC")  # noqa: DTZ001


@settings(max_examples=500)
@given(st.integers(0, 10**18), st.sampled_from(["USD", "EUR"]))
def test_money_is_read_back_as_it_was_written(micros: int, currency: str) -> None:
    text = money(micros, currency)
    assert parse_money(text) == (micros, currency)
    assert (float(text.split()[0]) == 0) == (micros == 0)


@pytest.mark.parametrize(
    ("text", "micros", "currency"),
    [
        ("5", 5_000_000, None),
        ("5 USD", 5_000_000, "USD"),
        (" 0.25eur ", 250_000, "EUR"),
        (".000001", 1, None),
        ("0", 0, None),
        ("1.5000000", 1_500_000, None),
        (1, 1_000_000, None),
        (0.5, 500_000, None),
        (0.1, 100_000, None),
        (1e-6, 1, None),
        (Decimal("0.10"), 100_000, None),
        (Decimal("1E+1"), 10_000_000, None),
    ],
)
def test_amounts_that_can_be_read(text: Amount, micros: int, currency: str | None) -> None:
    assert parse_money(text) == (micros, currency)


@pytest.mark.parametrize(
    "number",
    [True, -1, -0.5, float("nan"), float("inf"), Decimal("sNaN"), None, b"5", [5], 1j],
)
def test_what_is_no_number_of_money_is_refused_in_one_sentence(number: Any) -> None:
    with pytest.raises(UsageError, match=r"^--cap .* is no amount of money"):
        parse_money(number, "--cap")


def test_a_float_is_the_number_that_is_shown() -> None:
    with pytest.raises(UsageError, match=r"^0\.30000000000000004: at most 6 decimal places"):
        parse_money(0.1 + 0.2)
    with pytest.raises(UsageError, match=r"^Decimal\('1E\+999999'\): no amount above"):
        parse_money(Decimal("1E+999999"))


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1,000", "1,5", "1e3", "nan", "inf", "USD", "$5", "5 dollars", "5.", "\u0665"],
)
def test_amounts_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="is no amount of money"):
        parse_money(text)


def test_amounts_too_fine_or_too_large_are_refused() -> None:
    with pytest.raises(UsageError, match="at most 6 decimal places"):
        parse_money("0.0000001")
    with pytest.raises(UsageError, match="no amount above"):
        parse_money("1000000000001")


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (5_000_000, "5.00 USD"),
        (1_500, "0.0015 USD"),
        (1, "0.000001 USD"),
        (0, "0.00 USD"),
        (-250_000, "-0.25 USD"),
        (14_314_500, "14.3145 USD"),
    ],
)
def test_money_is_never_rounded(micros: int, text: str) -> None:
    assert money(micros, "USD") == text


def test_the_packaged_table_prices_every_line_of_both_clouds() -> None:
    table = PriceTable.packaged()
    assert table.version in PACKAGED
    for name, region in (("google", ""), ("rekognition", "us-east-1")):
        skus = {spec.sku for spec in registry.load(name).tasks.values() if spec.sku}
        assert skus == {price.sku for price in table if price.provider == name}
        for sku in skus:
            price = table.find(name, sku, region, TODAY)
            assert price.highest > 0
            assert price.source
            assert price.billing


def test_the_packaged_prices_are_those_of_the_sources() -> None:
    table = PriceTable.packaged()

    def thousand(provider: str, sku: str, before: int) -> int:
        return table.find(provider, sku, "us-east-1", TODAY).cost(before, 1000)

    assert thousand("google", "LABEL_DETECTION", 0) == 1_500_000
    assert thousand("google", "LABEL_DETECTION", 5_000_000) == 1_000_000
    assert thousand("google", "TEXT_DETECTION", 5_000_000) == 600_000
    assert thousand("google", "OBJECT_LOCALIZATION", 4_999_500) == (2_250_000 + 1_500_000) // 2
    assert thousand("google", "WEB_DETECTION", 4_999_000) == 3_500_000
    with pytest.raises(UsageError, match="ends with unit 5,000,000"):
        thousand("google", "WEB_DETECTION", 4_999_001)
    assert thousand("rekognition", "DetectFaces", 999_000) == 1_000_000
    assert thousand("rekognition", "CompareFaces", 1_000_000) == 800_000
    pools = {p.sku: p.pool for p in table if p.provider == "rekognition"}
    assert pools.pop("CompareFaces") == "group-1"
    assert pools.pop("IMAGE_PROPERTIES") == "image-properties"
    assert set(pools.values()) == {"group-2"}


def test_a_region_without_a_price_says_how_to_add_one() -> None:
    with pytest.raises(UsageError) as caught:
        PriceTable.packaged().find("rekognition", "DetectLabels", "eu-west-1", TODAY)
    said = str(caught.value)
    for part in ("rekognition DetectLabels in region eu-west-1", "--toml", "--prices"):
        assert part in said
    assert "eu-west-1 (a price is known for us-east-1). " in said


def test_a_price_holds_from_its_day_on_and_the_next_one_follows_it() -> None:
    later = replace(LINE, effective_from=date(2026, 6, 1), tiers=(Tier(None, 9),))
    table = PriceTable([later, LINE], "x")
    assert table.find("toy", "look", "", date(2026, 5, 31)) == LINE
    assert table.find("toy", "look", "", date(2026, 6, 1)) == later
    with pytest.raises(UsageError, match="a price is known from 2026-01-01 on"):
        table.find("toy", "look", "", date(2025, 12, 31))


def test_a_price_for_a_region_goes_before_the_one_for_anywhere() -> None:
    there = replace(LINE, region="north", tiers=(Tier(None, 9),))
    table = PriceTable([LINE, there], "x")
    assert table.find("toy", "look", "north", TODAY) == there
    assert table.find("toy", "look", "south", TODAY) == LINE


def test_own_rows_go_over_the_packaged_ones(tmp_path: Path) -> None:
    own = ROW.replace('"toy"', '"google"').replace('"look"', '"LOGO_DETECTION"')
    own = own.replace("Europe/Berlin", "America/Los_Angeles")
    path = tmp_path / "my.toml"
    path.write_text(own)
    packaged, table = PriceTable.packaged(), PriceTable.read(path)
    assert len(list(table)) == len(list(packaged))
    assert table.find("google", "LOGO_DETECTION", "", TODAY).currency == "EUR"
    kept = table.find("google", "TEXT_DETECTION", "", TODAY)
    assert kept == packaged.find("google", "TEXT_DETECTION", "", TODAY)
    assert table.sha256 != packaged.sha256
    path.write_text(table.text)
    assert PriceTable.read(path).sha256 == table.sha256


def test_an_own_row_for_any_region_goes_over_those_of_every_region() -> None:
    own = PriceTable([replace(LINE, provider="rekognition", sku="DetectLabels")], "x").text
    table = PriceTable.packaged().under(own, "my.toml")
    for region in ("us-east-1", "eu-west-1"):
        assert table.find("rekognition", "DetectLabels", region, TODAY).highest == LINE.highest
    assert table.find("rekognition", "DetectFaces", "us-east-1", TODAY).highest == 1_000


def test_an_own_row_of_a_sku_that_its_provider_does_not_have_is_refused() -> None:
    row = ROW.replace('"toy"', '"google"')
    with pytest.raises(
        UsageError, match=r"my\.toml: google has no sku 'look': choose among .*FACE"
    ):
        PriceTable.packaged().under(row, "my.toml")
    PriceTable.packaged().under(ROW, "my.toml")  # of a provider that this table does not know


def test_a_table_reads_back_from_its_own_text() -> None:
    table = PriceTable.packaged()
    assert PriceTable.parse(table.text, "again").text == table.text
    odd = replace(LINE, note='a "quote", \\ back\tslash, \x7f and é', billing=("a b", "ü"))
    again = PriceTable.parse(PriceTable([odd], "x").text, "odd")
    assert list(again) == [odd]
    assert "and é" in again.text  # readable, and the same bytes everywhere


def test_what_a_row_leaves_out_has_a_default() -> None:
    table = PriceTable.parse(ROW.replace("micros = 5", "micros = 1_000_000_000_000"), "x")
    assert (table.version, PriceTable.parse('version = "2"' + ROW, "x").version) == (
        "own rows",
        "2",
    )
    (price,) = table
    assert (price.pool, price.free_with, price.free_per_month) == ("look", (), 0)
    assert (price.note, price.billing, price.highest) == ("", (), 10**12)


def test_the_packaged_file_is_in_the_form_that_is_read() -> None:
    text = files("visionhub.pricing").joinpath(PACKAGED).read_text("utf-8")
    assert re.search(r'^version = "2026-11-23"$', text, re.MULTILINE)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("micros = 7", "micros = 7.0", "price 1: tiers: tier 1: expected a whole number"),
        ("micros = 5", "micros = true", "price 1: tiers: tier 2: expected a whole number"),
        ("micros = 5", "micros = -5", "price 1: tiers: tier 2: expected a whole number"),
        ("up_to = 10", "up_to = 0", "price 1: tiers: tier 1: expected a whole number, 1 to"),
        ("micros = 7", "cents = 7", "price 1: tiers: tier 1: expected micros"),
        ("{ micros = 5 }", "{ up_to = 10, micros = 5 }", "tiers: each up_to has to be above"),
        ("up_to = 10, ", "", "tiers: only the last tier may leave out up_to"),
        ('"EUR"', '"euro"', "price 1: currency: expected three capitals"),
        ('"Europe/Berlin"', '"Berlin"', "billing_zone: there is no time zone 'Berlin'"),
        ('"Europe/Berlin"', '"../etc/passwd"', "billing_zone: there is no time zone"),
        ("2026-11-01", '"2026-11-01"', "price 1: retrieved: expected a day"),
        ("2026-11-01", "2026-11-01T00:00:00", "price 1: retrieved: expected a day"),
        ('sku = "look"\n', "", "price 1: sku: it is missing"),
        ('sku = "look"', 'sku = " "', "price 1: sku: expected a text"),
        ("tiers =", "tears =", "price 1: tears: there is no such member"),
        ("tiers = [{ up_to = 10, micros = 7 }, { micros = 5 }]", "tiers = []", "tiers: expected"),
        ("[[price]]", "free_per_month = 1\n[[price]]", "'free_per_month' is unknown here"),
        ("[[price]]", "version = 3\n[[price]]", "version: expected a text"),
        ("[[price]]", "[[price]]\nfree_per_month = 1.5", "free_per_month: expected a whole"),
        ("[[price]]", '[[price]]\nfree_with = "look"', "free_with: expected a list of texts"),
        ("[[price]]", '[[price]]\nfree_with = [" "]', "free_with: expected a list of texts"),
        ("[[price]]", "[[price]]\nfree_with = [3]", "free_with: expected a list of texts"),
        ("micros = 5", "micros = 1_000_000_000_001", "0 to 1,000,000,000,000"),
        ("[[price]]", '[[price]]\nfree_with = ["luck"]', "toy has no sku 'luck'"),
        ("[[price]]", '[[price]]\nfree_with = ["look"]', "look is itself free with another"),
        ("[[price]]", "[[price]]\nnote = 3", "note: expected a text"),
        ("[[price]]", "[price]", "it holds no prices"),
        ("[[price]]", "[[price", "is no price table"),
        ("[[price]]", "a = " + "[" * 9_000, "it is nested too deeply"),
        ("micros = 5", "micros = " + "5" * 9_000, "is no price table"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in ROW
    path = tmp_path / "my.toml"
    path.write_text(ROW.replace(old, new))
    with pytest.raises(UsageError) as caught:
        PriceTable.read(path)
    assert "my.toml" in str(caught.value)
    assert says in str(caught.value)


def test_a_file_that_is_no_table_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "my.toml"
    path.write_text(ROW)
    monkeypatch.setattr("visionhub.pricing.table.MOST", len(ROW))
    assert PriceTable.read(path)
    monkeypatch.setattr("visionhub.pricing.table.MOST", len(ROW) - 1)
    with pytest.raises(UsageError, match=r"my\.toml: it is too long for a price table"):
        PriceTable.read(path)


@pytest.mark.parametrize(
    "member",
    [
        *("provider", "sku", "region", "currency", "tiers", "billing_zone"),
        *("effective_from", "source", "retrieved"),
    ],
)
def test_a_member_that_is_needed_is_missed(member: str) -> None:
    row = re.sub(f"(?m)^{member} = .*\n", "", ROW)
    assert row != ROW
    with pytest.raises(UsageError, match=f"price 1: {member}: it is missing"):
        PriceTable.parse(row, "x")


def test_a_mistake_in_every_row_is_told_once() -> None:
    wrong = ROW.replace('currency = "EUR"', 'currency = "euro"')
    assert wrong != ROW
    rows = [wrong.replace('sku = "look"', f'sku = "look{n}"') for n in range(40)]
    rows[7] = rows[7].replace('sku = "look7"', 'sku = ""')
    with pytest.raises(UsageError) as caught:
        PriceTable.parse("".join(rows), "x")
    assert str(caught.value) == (
        "x is no price table: price 1: currency: expected three capitals, such as USD (so in 39 "
        "rows more); price 8: sku: expected a text."
    )
    with pytest.raises(UsageError, match=r"such as USD \(so in 1 row more\)\.$"):
        PriceTable.parse("".join(rows[:2]), "x")


def test_a_price_that_is_no_table_is_named() -> None:
    with pytest.raises(UsageError, match="x is no price table: price 1: expected a table"):
        PriceTable.parse("price = [3]", "x")


def test_every_wrong_row_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(ROW + ROW.replace("look", "b").replace("EUR", "e") + '[[price]]\nsku = "c"\n')
    with pytest.raises(UsageError) as caught:
        PriceTable.read(path)
    for part in ("price 2: currency", "price 3: provider: it is missing", "price 3: tiers"):
        assert part in str(caught.value)
    assert "price 1" not in str(caught.value)


def test_a_line_may_stand_once_a_region_and_day(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(ROW + ROW)
    with pytest.raises(UsageError, match="price 2: sku: price 1 is for the same line"):
        PriceTable.read(path)


@pytest.mark.parametrize(
    ("old", "new"), [("Europe/Berlin", "UTC"), ("[[price]]", "[[price]]\nfree_per_month = 5")]
)
def test_lines_of_a_pool_agree(tmp_path: Path, old: str, new: str) -> None:
    other = ROW.replace('"look"', '"b"').replace(old, new) + 'pool = "look"\n'
    path = tmp_path / "my.toml"
    path.write_text(ROW + other)
    with pytest.raises(UsageError, match="in the same pool 'look'"):
        PriceTable.read(path)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--prices .*none\.toml"):
        PriceTable.read(tmp_path / "none.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'note = "\xe9"')
    with pytest.raises(UsageError, match="no UTF-8"):
        PriceTable.read(latin)


@pytest.mark.parametrize(("days", "warns"), [(89, False), (90, True), (364, True)])
def test_old_prices_warn(days: int, *, warns: bool) -> None:
    table = PriceTable([LINE], "x")
    said = table.check_age(date.fromordinal(LINE.retrieved.toordinal() + days), allow_old=False)
    assert (said is not None) == warns
    assert not warns or f"{days} days ago" in str(said)


def test_very_old_prices_are_refused_unless_told_otherwise() -> None:
    table = PriceTable([LINE, replace(LINE, sku="new", retrieved=TODAY)], "x")
    late = date.fromordinal(LINE.retrieved.toordinal() + 365)
    with pytest.raises(UsageError, match="--old-prices"):
        table.check_age(late, allow_old=False)
    assert "365 days ago" in str(table.check_age(late, allow_old=True))
    assert table.check_age(TODAY, allow_old=False, among=[replace(LINE, retrieved=TODAY)]) is None


def test_prices_that_were_read_in_the_future_are_doubted() -> None:
    said = PriceTable([LINE], "x").check_age(date(2026, 10, 1), allow_old=False)
    assert "still to come" in str(said)
