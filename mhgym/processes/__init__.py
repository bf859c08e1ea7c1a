"""The laws of chance: arrivals, callers, counsellors, outcomes, predictions."""
