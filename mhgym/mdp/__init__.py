"""The decision process in Python: observation, action with mask, reward. Faster engines must equal it."""

from mhgym.mdp.action import ActionLayout, without_hold
from mhgym.mdp.observation import ObservationLayout
from mhgym.mdp.reward import RewardLedger

__all__ = ["ActionLayout", "ObservationLayout", "RewardLedger", "without_hold"]
