"""Seeds of traces: those of training, validation and test never meet."""

#: First trace seed of each split; a comparison uses at most a million traces.
SPLITS = {"train": 0, "validation": 1_000_000, "test": 2_000_000}


def seeds_of(split: str, number: int) -> range:
    """The trace seeds of a split.

    Raises:
        ValueError: If the split is unknown or the number not between 2 and a million.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r} (known: {', '.join(SPLITS)})")
    if not 2 <= number <= 1_000_000:
        raise ValueError(f"a comparison with intervals needs 2 to 1,000,000 traces, got {number}")
    return range(SPLITS[split], SPLITS[split] + number)
