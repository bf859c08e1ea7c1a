"""The book of contacts of one episode: who came, who was answered by whom, which legs of service there were."""

import math

import numpy as np

from mhgym.domain import ContactLog, LegKind, Outcome
from mhgym.engines.desk import Desk, Hand
from mhgym.engines.protocol import Tally
from mhgym.trace import Trace


class ContactBook:
    """Records of one episode, by contact, and the running counts behind the reward.

    Args:
        trace: The episode.
    """

    def __init__(self, trace: Trace) -> None:
        size = len(trace)
        self.trace = trace
        self.tally = Tally()
        self.joined_at = [math.nan] * size
        self.answered_at = [math.nan] * size
        self.ended_at = [math.nan] * size
        self.feedback = [math.nan] * size
        self.outcome = [int(Outcome.UNANSWERED)] * size
        self.finisher = [-1] * size
        self.transfers = [0] * size
        self.remaining = [math.nan] * size
        self.predicted_rest = [math.nan] * size
        self._finisher_new = [0] * size
        self._legs: list[tuple[int, int, int, float, float]] = []

    def is_zombie(self, contact: int) -> bool:
        """Whether a contact has left the queue unseen."""
        return self.outcome[contact] in (Outcome.ABANDONED, Outcome.ABANDONED_IN_TRANSFER)

    def abandon(self, contact: int, now: float) -> None:
        """A caller leaves the queue."""
        in_transfer = self.transfers[contact] > 0
        self.outcome[contact] = Outcome.ABANDONED_IN_TRANSFER if in_transfer else Outcome.ABANDONED
        self.ended_at[contact] = now

    def credit(self, contact: int, desk: Desk, feedback: float, now: float) -> None:
        """Count a contact as answered by a counsellor, unless it is transferred later."""
        if math.isnan(self.answered_at[contact]):
            self.answered_at[contact] = now
        self.outcome[contact] = Outcome.ANSWERED
        self.finisher[contact] = desk.index
        self.feedback[contact] = feedback
        self._finisher_new[contact] = int(desk.person.new and now < desk.person.new_until)
        self._count(contact, 1)

    def send_back(self, contact: int, remaining: float, predicted_rest: float) -> None:
        """Take an answered contact back, since it returns to the queue with minutes of service left."""
        self._count(contact, -1)
        self.outcome[contact] = Outcome.UNANSWERED
        self.transfers[contact] += 1
        self.remaining[contact] = remaining
        self.predicted_rest[contact] = predicted_rest

    def _count(self, contact: int, sign: int) -> None:
        self.tally.answered += sign
        self.tally.feedback += sign * self.feedback[contact]
        self.tally.answered_by_new += sign * self._finisher_new[contact]

    def write_legs(self, desk: Desk, hand: Hand, until: float) -> None:
        """Write down what a counsellor did with a contact, up to a minute."""
        service_end = min(hand.service_end, until)
        self._legs.append((hand.contact, desk.index, hand.kind, hand.started_at, service_end))
        if hand.kind == LegKind.SERVICE and until >= hand.service_end:
            self._legs.append((hand.contact, desk.index, LegKind.WRAP_UP, hand.service_end, until))
            self.ended_at[hand.contact] = hand.service_end

    def log(self) -> ContactLog:
        """The records as arrays."""
        outcome = np.array(self.outcome, dtype=np.int64)
        answered = outcome == Outcome.ANSWERED
        legs = sorted(self._legs, key=lambda leg: (leg[3], leg[0], leg[2]))
        columns = list(zip(*legs, strict=True)) if legs else [()] * 5
        return ContactLog(
            arrived_at=np.array(self.trace.arrived_at),
            outcome=outcome,
            caller_type=np.array(self.trace.caller_type),
            risk=np.array(self.trace.risk),
            answered_at=np.array(self.answered_at),
            ended_at=np.array(self.ended_at),
            counsellor=np.where(answered, np.array(self.finisher, dtype=np.int64), -1),
            feedback=np.where(answered, np.array(self.feedback), np.nan),
            transfers=np.array(self.transfers, dtype=np.int64),
            leg_contact=np.array(columns[0], dtype=np.int64),
            leg_counsellor=np.array(columns[1], dtype=np.int64),
            leg_kind=np.array(columns[2], dtype=np.int64),
            leg_start=np.array(columns[3], dtype=np.float64),
            leg_end=np.array(columns[4], dtype=np.float64),
        )
