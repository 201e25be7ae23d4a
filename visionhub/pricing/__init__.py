"""What requests cost: price lines with tiers and bundles, the table of them, and money in words.

Money is an integer of micro-units (millionths) of one currency, never a float.
"""

from visionhub.pricing.money import MICRO, Amount, money, parse_money
from visionhub.pricing.price import Price, Tier, day, month, units
from visionhub.pricing.table import HOW_TO_ADD, PriceTable

__all__ = [
    "HOW_TO_ADD",
    "MICRO",
    "Amount",
    "Price",
    "PriceTable",
    "Tier",
    "day",
    "money",
    "month",
    "parse_money",
    "units",
]
