"""Who waits for whom in the reference engine: inboxes of counsellors, where a scenario has any."""

from mhgym.engines.desk import Desk
from mhgym.scenario import Scenario


class Inboxes:
    """The inboxes of one episode.

    Args:
        scenario: The centre.
        desks: Its counsellors.
        size: Contacts of the episode.

    Attributes:
        owner: For each contact the counsellor in whose inbox it is, also while its wait is being bridged; -1 for none.
        bridges: For each contact how often its wait has been bridged.
    """

    def __init__(self, scenario: Scenario, desks: list[Desk], size: int) -> None:
        self.exist = scenario.inboxes
        self._most_bridges = scenario.rules.bridges
        self._desks = desks
        self.owner = [-1] * size
        self.bridges = [0] * size

    def put(self, contact: int, owner: int) -> None:
        """Have a contact wait for one counsellor, or with -1 for whoever may take it."""
        if self.owner[contact] >= 0:
            self._desks[self.owner[contact]].pending -= 1
        self.owner[contact] = owner
        if owner >= 0:
            self._desks[owner].pending += 1

    def empty(self, desk: Desk) -> None:
        """Have all who wait for one counsellor wait for whoever may take them."""
        for contact, owner in enumerate(self.owner):
            if owner == desk.index:
                self.put(contact, -1)

    def first(self, queue: list[int], now: float) -> tuple[int, Desk] | None:
        """The next contact taken out of an inbox, and by whom: of those who wait there whoever arrived first."""
        for desk in self._desks:
            if desk.pending and desk.can_take(now):
                own = [contact for contact in queue if self.owner[contact] == desk.index]
                if own:
                    return min(own), desk
        return None

    def admit(self, contact: int, desk: Desk, now: float) -> bool:
        """Whether a waiting contact, whatever its risk, may be given to a counsellor now."""
        if not self.exist:
            return desk.can_take(now)
        waits_for_somebody = self.owner[contact] >= 0
        if desk.person.inbox:
            return not waits_for_somebody and (desk.can_take(now) or desk.room(now) > 0)
        return waits_for_somebody and self.bridges[contact] < self._most_bridges and desk.can_take(now)
