"""TRON: TRC-20 transfers by TronGrid and TronScan."""
