"""A reinforcement-learning gym for routing people in distress to the counsellors who can help them."""

__version__ = "0.1.0"
