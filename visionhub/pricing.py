"""What a request costs. Money is an integer of micro-units of one currency, never a float."""
