"""What a month brought: totals, a table for a terminal, and a page with plots."""
