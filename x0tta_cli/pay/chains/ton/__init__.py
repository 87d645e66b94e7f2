"""TON: its own coin and jettons by tonapi and toncenter."""
