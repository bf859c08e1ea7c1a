"""The Gymnasium environment of the week in which patients and volunteers arrive."""

from dataclasses import fields, replace
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mhgym.matching.arrivals import ArrivingWeek, Relief
from mhgym.matching.layout import HIGH, LOW, WeekLayout
from mhgym.matching.online import OnlineWeek, WeekView
from mhgym.presets.base import suggest

_RESET_OPTIONS = ["week", "week_seed"]


class DisasterReliefEnv(gymnasium.Env[NDArray[np.float32], np.int64]):
    """Decide whom to offer which volunteer and hour while people arrive through the week after a disaster.

    Observation: a flat `Box(float32)`; `env.unwrapped.layout` names its parts. Action: `Discrete(N * M + 1)`, one of M
    options of one of N patients shown, the last one HOLD. An illegal action is a HOLD and is counted. Reward: severity
    first, then compatibility (`scoring.Worth`), adding up to the KPI `objective`; the vector is
    `info["reward_vector"]`. Decision epochs are unevenly spaced: `info["elapsed"]` has the minutes since the decision
    before. An episode is one week, all its chance drawn by `reset`.

    Args:
        relief: The laws and rules; those of the calibrated base case if None.
        num_patients: N patients shown; with the defaults, nearly every offer of exact re-solving is shown.
        num_options: M options shown of each.
        **overrides: Fields of `Relief`, such as `review_interval` or `volunteer_arrivals`.

    Raises:
        ValueError: If an override is not a field, or a number is out of range.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(
        self, relief: Relief | None = None, *, num_patients: int = 64, num_options: int = 6, **overrides: Any
    ) -> None:
        known = [item.name for item in fields(Relief)]
        for name in overrides:
            if name not in known:
                raise ValueError(f"unknown setting {name!r}{suggest(name, known)}")
        self.relief = replace(relief or Relief(), **overrides)
        self.layout = WeekLayout(num_patients, num_options)
        self.observation_space = spaces.Box(LOW, HIGH, (self.layout.size,), np.float32)
        self.action_space = spaces.Discrete(self.layout.num_actions)
        self.week: OnlineWeek | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a week.

        Args:
            seed: Seed of the sequence of weeks.
            options: `week_seed` fixes this week's chance by number, `week` by an `ArrivingWeek`.

        Raises:
            ValueError: If an option is unknown.
            TypeError: If `week` is no `ArrivingWeek`.
        """
        super().reset(seed=seed)
        options = options or {}
        for name in options:
            if name not in _RESET_OPTIONS:
                raise ValueError(f"unknown reset option {name!r}{suggest(name, _RESET_OPTIONS)}")
        arriving = options.get("week")
        if arriving is None:
            week_seed = options.get("week_seed")
            arriving = self.relief.sample(int(self.np_random.integers(2**32)) if week_seed is None else week_seed)
        elif not isinstance(arriving, ArrivingWeek):
            raise TypeError(f"option 'week' must be an ArrivingWeek, got {type(arriving).__name__}")
        self.week = OnlineWeek(self.relief, arriving)
        self._illegal_actions, self._decided_at = 0, self.week.now
        self._look(self.week)
        return self.layout.encode(self.view, self._shown), self._info(self.week, np.zeros(2), self.week.now)

    def step(self, action: np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Decide, and go to the next decision epoch or to the end of the week.

        Raises:
            RuntimeError: If no week is under way.
        """
        if self.week is None:
            raise RuntimeError("no week is under way; call reset() first")
        week, number = self.week, int(action)
        outcome = week.decide(self.layout.decode(number, self.view, self._shown))
        self._illegal_actions += int(not outcome.made and number != self.layout.hold)
        elapsed, self._decided_at = week.now - self._decided_at, week.now
        self._look(week)
        info = self._info(week, outcome.reward, elapsed)
        if week.over:
            info["kpis"] = week.kpis()
        reward = float(week.worth.weights @ outcome.reward)
        return self.layout.encode(self.view, self._shown), reward, week.over, False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """`[N * M + 1]` the legal actions, as sb3-contrib's MaskablePPO asks for them."""
        return self.layout.mask(self._shown).astype(np.bool_)

    def _look(self, week: OnlineWeek) -> None:
        self.view: WeekView = week.view()
        self._shown = self.layout.show(self.view)

    def _info(self, week: OnlineWeek, reward: NDArray[np.float64], elapsed: float) -> dict[str, Any]:
        return {
            "action_mask": self.layout.mask(self._shown),
            "elapsed": float(elapsed),
            "minute": float(week.now),
            "reward_vector": reward.copy(),
            "illegal_actions": self._illegal_actions,
        }
