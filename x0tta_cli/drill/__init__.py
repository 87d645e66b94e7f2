"""The closed loop: from telemetry to a paged explanation, judged against the truth."""
