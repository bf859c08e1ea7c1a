"""The page of environments: spaces, layouts, masks and infos, read off environments that are made and stepped."""

from typing import Any

import gymnasium
import numpy as np
import pettingzoo

from experiments.docs.feature_notes import notes
from experiments.docs.markdown import code, number, paragraphs, table
from mhgym.mdp.blocks import BlockLayout
from mhgym.registration import ANY_ID, COUNSELLOR_IDS, DISPATCHER_IDS, IDS, MATCHING_IDS, MO_IDS, MO_MATCHING_IDS

#: What stands in an info, face by face.
INFOS = {
    "action_mask": "`[actions]` int8, 1 for every legal action, a fresh array each time",
    "elapsed": "minutes since the decision before",
    "minute": "minutes since the start of the episode",
    "reward_vector": "the components of the reward that the step paid",
    "illegal_actions": "illegal actions of the episode so far",
    "kpis": "every KPI by name, at the end of an episode only",
}
_SEED = 7


def ids() -> str:
    """Every registered id, by what is behind it."""
    rows = [("any preset, named by `scenario=`", _lines(ANY_ID), "", "", "")]
    for name, preset in IDS.items():
        games = [game for ids in (COUNSELLOR_IDS, DISPATCHER_IDS) for game, behind in ids.items() if behind == preset]
        mo = [own for own, behind in MO_IDS.items() if behind == preset]
        rows.append((code(preset), _lines(name), _lines(*mo), _lines(*games), _lines(*map(_vector, games))))
    rows.append(("a week of matching", _lines(*MATCHING_IDS), _lines(*MO_MATCHING_IDS), "", ""))
    return table(("behind it", "Gymnasium", "its reward a vector", "PettingZoo", "its rewards vectors"), rows)


def centre(preset: str) -> str:
    """The spaces of a preset's environments and where their blocks lie."""
    env = gymnasium.make(f"mhgym/{preset}-v0")
    layout = env.get_wrapper_attr("layout")
    n, c = layout.num_slots, layout.num_counsellors
    rows = [
        (f"`mhgym/{preset}-v0`, `mhgym/mo-{preset}-v0`", _box(env.observation_space), _actions(env.action_space, n, c))
    ]
    for games in (COUNSELLOR_IDS, DISPATCHER_IDS):
        for name in (name for name, behind in games.items() if behind == preset):
            game = pettingzoo.make("parallel", name)
            agent = game.possible_agents[0]
            space = game.action_space(agent)
            shown = _actions(space, n, c) if games is DISPATCHER_IDS else f"`Discrete({space.n})`: {n} slots, decline"
            seen = _box(game.observation_space(agent)["observation"])
            rows.append(
                (f"`{name}`, `{_vector(name)}`", f"{seen} and mask, each of {len(game.possible_agents)}", shown)
            )
    return paragraphs(
        f"N = {n} queue slots, C = {c} counsellors; an episode ends by being "
        + ("truncated (the service goes on)." if env.unwrapped.core.cuts else "terminated (the shift is over)."),
        table(("id", "observation", "action"), rows),
        _blocks(layout),
    )


def counsellor_blocks() -> str:
    """Where the blocks of a counsellor's observation lie, in EranHeavy."""
    game = pettingzoo.make("parallel", "mhgym/EranHeavyCounsellors-v0")
    return _blocks(game.unwrapped.game.layout)


def week() -> str:
    """The spaces of the week of matching."""
    rows = []
    for name in (*MATCHING_IDS, *MO_MATCHING_IDS):
        env = gymnasium.make(name)
        layout = env.get_wrapper_attr("layout")
        shown = f"`Discrete({env.action_space.n})`: {layout.num_patients} × {layout.num_options} options, HOLD"
        rows.append((code(name), _box(env.observation_space), shown))
    return paragraphs(table(("id", "observation", "action"), rows), _blocks(layout))


def features(module: str, constant: str, block: str | None = None) -> str:
    """Name and meaning of each entry of a block."""
    rows = enumerate(notes(module, constant, block))
    return table(("index", "name", "meaning"), ((index, code(name), words) for index, (name, words) in rows))


def infos() -> str:
    """What stands in the infos of each face; an info of which nothing is said here is an error."""
    env = gymnasium.make("mhgym/EranHeavy-v0")
    single = _play(env)
    week = _play(gymnasium.make("mhgym/DisasterRelief-v0"))
    game = pettingzoo.make("parallel", "mhgym/EranHeavyCounsellors-v0")
    told = game.reset(seed=_SEED)[1]
    while game.agents:
        told = game.step(dict.fromkeys(game.agents, 0))[-1]
    players = set(next(iter(told.values())))
    if unknown := (single | week | players) - set(INFOS):
        raise ValueError(f"nothing is said of {', '.join(sorted(unknown))}; add it to INFOS")
    rows = [
        (code(name), words, *("yes" if name in face else "no" for face in (single, players, week)))
        for name, words in INFOS.items()
    ]
    return table(("key", "content", "centre", "game (each agent)", "week"), rows)


def _play(env: gymnasium.Env[Any, Any]) -> set[str]:
    """Keys of the last info of an episode."""
    _, info = env.reset(seed=_SEED)
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(int(np.argmax(info["action_mask"])))
        over = terminated or truncated
    return set(info)


def _vector(name: str) -> str:
    return name.replace("mhgym/", "mhgym/mo-")


def _lines(*ids: str) -> str:
    return "<br>".join(map(code, ids))


def _box(space: Any) -> str:
    return f"`Box({number(float(space.low.flat[0]))}, {number(float(space.high.flat[0]))}, {space.shape}, float32)`"


def _actions(space: Any, slots: int, counsellors: int) -> str:
    return f"`Discrete({space.n})`: {slots} × {counsellors} pairs, HOLD is {space.n - 1}"


def _blocks(layout: BlockLayout) -> str:
    rows = [
        (code(name), f"`{list(layout.shapes[name])}`", f"{place.start} to {place.stop - 1}")
        for name, place in layout.slices.items()
    ]
    return table(("block", "shape", "entries"), rows)
