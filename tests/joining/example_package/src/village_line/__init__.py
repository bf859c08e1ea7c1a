"""A helpline in a village, and a rule for it."""
