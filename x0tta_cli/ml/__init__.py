"""Which component is ill, and why: detector, attribution, root-cause ranking."""
