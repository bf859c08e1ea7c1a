"""Somebody's policy that looks for what it is not told; the tests play it here and in a process of its own."""

import gc
import sys

import numpy as np

from mhgym.view import Pair

HIDDEN = {"Trace", "ReferenceEngine", "CompiledEngine", "State", "Chance"}


class Peeks:
    """Serves whom FCFS serves, unless it finds chance that has not come out: in any object, or its callers' frames."""

    def __init__(self, name="Peeks"):
        self.name = name

    def reset(self, scenario, rng):
        pass

    def act(self, view):
        held = {type(thing).__name__ for thing in gc.get_objects()}
        frame = sys._getframe(1)
        while frame is not None:
            held |= {type(value).__name__ for value in frame.f_locals.values()}
            frame = frame.f_back
        if found := held & HIDDEN:
            raise RuntimeError("found " + ", ".join(sorted(found)))
        row = np.nonzero(view.legal)[0][0]
        people = np.flatnonzero(view.legal[row])
        return Pair(int(row), int(people[np.argmin(view.staff.idle_since[people])]))
