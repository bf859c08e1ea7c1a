"""A reinforcement-learning gym for routing people in distress to the counsellors who can help them.

Importing it registers the ids of `mhgym.registration.IDS` with Gymnasium and does nothing else.
"""

from mhgym.registration import register_envs

__version__ = "0.1.0"

register_envs()
