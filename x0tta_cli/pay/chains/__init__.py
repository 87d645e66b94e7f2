"""The chains behind one protocol: TRON and TON, each by two public APIs."""
