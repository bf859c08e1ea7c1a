"""The index-rule network: the order of queue and roster means nothing, their sizes neither, and only views reach it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from agents import make_agent
from agents.index_network import ILLEGAL, IndexRuleActor, IndexRuleCritic, scene_of
from agents.learned import Learned, play
from agents.network_card import FEATURES, Card
from agents.sight import Sight
from agents.zoo import FOLDER, load_network, save_network
from experiments.search import Scorer
from mhgym.envs.vector import RoutingBatch
from mhgym.evaluation.rollout import run_episodes
from mhgym.evaluation.splits import seeds_of
from mhgym.mdp.observation import ObservationLayout
from mhgym.policy import policy_rng
from mhgym.presets import make_scenario
from mhgym.testing import Witness, redraw_hidden
from mhgym.trace import Trace


def make_networks(seed: int = 0, num_extra: int = 0) -> tuple[IndexRuleActor, IndexRuleCritic]:
    """Networks whose last layers are as large as the others, so that what they say differs between pairs."""
    torch.manual_seed(seed)
    actor, critic = IndexRuleActor(16, num_extra), IndexRuleCritic(16, num_extra)
    for last in (actor.score, actor.hold[-1]):
        torch.nn.init.orthogonal_(last.weight, gain=3.0)
    torch.nn.init.constant_(actor.hold[-1].bias, -6.0)  # serve mostly
    return actor, critic


def observations(preset: str, num_slots: int = 16, decisions: int = 12) -> tuple[Tensor, Tensor, ObservationLayout]:
    """Observations and masks of 32 centres after some random decisions."""
    rng = np.random.default_rng(1)
    batch = RoutingBatch(32, make_scenario(preset), num_slots=num_slots)
    batch.begin(range(32), [Trace.sample(batch.scenario, seed) for seed in range(32)])
    for _ in range(decisions):
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in batch.mask])
        batch.step(actions, ~batch.over)
    return torch.from_numpy(batch.obs.copy()), torch.from_numpy(batch.mask.copy()), batch.layout


def blocks_of(obs: Tensor, layout: ObservationLayout) -> dict[str, Tensor]:
    return {name: obs[:, part].reshape(len(obs), *layout.shapes[name]).clone() for name, part in layout.slices.items()}


def flatten(blocks: dict[str, Tensor]) -> Tensor:
    return torch.cat([block.flatten(1) for block in blocks.values()], dim=1)


@pytest.mark.parametrize("preset", ["EranHeavy", "OpenUp"])
def test_scores_follow_a_permutation_of_queue_and_roster(preset: str) -> None:
    obs, _, layout = observations(preset)
    blocks, num = blocks_of(obs, layout), layout.num_slots
    rng = np.random.default_rng(0)
    slots, people = (torch.from_numpy(rng.permutation(size)) for size in (num, layout.num_counsellors))
    moved = flatten(
        {
            "globals": blocks["globals"],
            "queue": blocks["queue"][:, slots],
            "counsellors": blocks["counsellors"][:, people],
            "pairs": blocks["pairs"][:, slots][:, :, people],
        }
    )
    actor, critic = make_networks()
    with torch.no_grad():
        plain, other = actor(scene_of(obs, layout)), actor(scene_of(moved, layout))
        values = [critic(scene_of(seen, layout)) for seen in (obs, moved)]
    grid = plain[:, :-1].reshape(-1, num, layout.num_counsellors)[:, slots][:, :, people]
    assert len(np.unique(plain[plain > ILLEGAL].numpy().round(6))) > 50
    torch.testing.assert_close(other[:, :-1].reshape(grid.shape), grid)
    torch.testing.assert_close(other[:, -1], plain[:, -1])
    torch.testing.assert_close(*values)


def test_more_room_in_queue_and_roster_changes_nothing() -> None:
    obs, _, layout = observations("EranHeavy", num_slots=6)
    wide = ObservationLayout(11, layout.num_counsellors + 4)
    blocks = {name: torch.zeros(len(obs), *shape) for name, shape in wide.shapes.items()}
    for name, block in blocks_of(obs, layout).items():
        blocks[name][tuple(slice(size) for size in block.shape)] = block
    actor, critic = make_networks()
    with torch.no_grad():
        narrow = actor(scene_of(obs, layout))
        broad = actor(scene_of(flatten(blocks), wide))
        torch.testing.assert_close(critic(scene_of(flatten(blocks), wide)), critic(scene_of(obs, layout)))
    grid = broad[:, :-1].reshape(-1, 11, layout.num_counsellors + 4)
    torch.testing.assert_close(
        grid[:, :6, : layout.num_counsellors], narrow[:, :-1].reshape(-1, 6, layout.num_counsellors)
    )
    assert (grid[:, 6:] == ILLEGAL).all()
    assert (grid[:, :, layout.num_counsellors :] == ILLEGAL).all()
    torch.testing.assert_close(broad[:, -1], narrow[:, -1])


@pytest.mark.parametrize("preset", ["EranHeavy", "OpenUp"])
def test_only_legal_pairs_have_a_score(preset: str) -> None:
    obs, masks, layout = observations(preset)
    actor, _ = make_networks()
    with torch.no_grad():
        logits = actor(scene_of(obs, layout))
    asked = masks[:, :-1].sum(dim=1) > 0
    assert asked.sum() > 10
    assert torch.equal(logits[asked] > ILLEGAL, masks[asked] > 0)


def test_an_empty_centre_holds() -> None:
    layout = ObservationLayout(4, 3)
    actor, critic = make_networks()
    with torch.no_grad():
        scene = scene_of(torch.zeros(2, layout.size), layout)
        logits, values = actor(scene), critic(scene)
    assert (logits.argmax(dim=1) == 12).all()
    assert torch.isfinite(values).all()


def test_features_beyond_the_observation_reach_every_score() -> None:
    obs, _, layout = observations("EranHeavy")
    actor, critic = make_networks(num_extra=2)
    with torch.no_grad():
        scenes = [scene_of(torch.cat([obs, torch.full((len(obs), 2), x)], dim=1), layout) for x in (0.0, 1.0)]
        (one, other), values = (actor(scene) for scene in scenes), [critic(scene) for scene in scenes]
    legal = one > ILLEGAL
    assert (one[legal] != other[legal]).all()
    assert (values[0] != values[1]).all()
    with pytest.raises(ValueError, match=f"the layout has {layout.size} features, the observation 7"):
        scene_of(torch.zeros(1, 7), layout)


def card_for(layout: ObservationLayout, **changes: object) -> Card:
    settings = {"network": "index_rule", "width": 16, "critic_width": 16}
    return Card(**{**settings, "num_slots": layout.num_slots, "num_counsellors": layout.num_counsellors, **changes})  # type: ignore[arg-type]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "fresh.safetensors"
    save_network(path, *make_networks(), card_for(ObservationLayout(16, 5), training={"seed": 3}))
    return path


def test_a_saved_network_is_the_same(network: Path) -> None:
    actor, critic, card = load_network(network)
    for loaded, own in zip((actor, critic), make_networks(), strict=True):
        for name, tensor in own.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], tensor)
    assert card.training == {"seed": 3}
    assert card.features == FEATURES


def test_a_network_of_other_features_is_refused_by_name(tmp_path: Path) -> None:
    features = {**FEATURES, "queue": ("present", "mood", *FEATURES["queue"][2:])}
    path = tmp_path / "old.safetensors"
    save_network(path, *make_networks(), card_for(ObservationLayout(16, 5), features=features))
    with pytest.raises(ValueError, match=r"feature 1 of block 'queue' was 'mood' when .* here it is 'wait'"):
        load_network(path)
    fewer = {**FEATURES, "pairs": FEATURES["pairs"][:-1]}
    save_network(path, *make_networks(), card_for(ObservationLayout(16, 5), features=fewer))
    with pytest.raises(ValueError, match=r"feature 2 of block 'pairs' was 'nothing' .* here it is 'service_time'"):
        load_network(path)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.safetensors"
    path.write_text("words")
    with pytest.raises(ValueError, match="is no safetensors file"):
        load_network(path)
    with pytest.raises(ValueError, match="there is no network 'nowhere': give a file, or a name"):
        make_agent("learned", network="nowhere")
    with pytest.raises(ValueError, match="16 queue slots and at most 5 counsellors, the centre has 16 and 6"):
        card_for(ObservationLayout(16, 5), network="mlp").layout_for(16, 6)


@pytest.mark.parametrize(("roster", "shown"), [(2, 5), (5, 5), (7, 7)])
def test_a_roster_is_shown_as_in_training(roster: int, shown: int) -> None:
    """Smaller ones padded to the C of training, so that shares of C mean the same; larger ones by their own size."""
    for kind in ("index_rule", "mlp")[: 1 + (roster <= 5)]:
        assert card_for(ObservationLayout(16, 5), network=kind).layout_for(16, roster) == ObservationLayout(16, shown)


def test_a_padded_network_decides_alike_one_by_one_and_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "padded.safetensors"
    save_network(path, *make_networks(), card_for(ObservationLayout(16, 9)))
    scenario = make_scenario("EranHeavy", staffing=3)
    episodes = run_episodes(scenario, Learned(str(path)), range(8), "compiled")
    actor, _, card = load_network(path)
    sights = card.sight(scenario), Sight(ObservationLayout(16, 3))
    totals, narrow = (play(actor, scenario, range(8), sight)[:, 1] for sight in sights)
    np.testing.assert_allclose(totals, [episode.kpis["quantity"] for episode in episodes], atol=1e-9)
    assert not np.array_equal(totals, narrow)  # shares of C reach what it decides


@pytest.mark.parametrize(
    ("preset", "settings"),
    [("EranHeavy", {}), ("OpenUp", {"horizon": 120.0}), ("Therapists", {"horizon": 720.0, "flow": 9.0})],
)
def test_playing_many_at_once_gives_the_same_episodes(preset: str, settings: dict[str, float], network: Path) -> None:
    """One network decides for a batch as it does for one view at a time; 20 traces in 7 centres."""
    scenario = make_scenario(preset, **settings)
    episodes = run_episodes(scenario, Learned(str(network)), range(20), "compiled")
    actor, _, card = load_network(network)
    totals = play(actor, scenario, range(20), card.sight(scenario), num_envs=7)
    single = [[episode.kpis[name] for name in ("quality", "quantity")] for episode in episodes]
    assert len({tuple(row) for row in single}) > 10
    np.testing.assert_allclose(totals[:, :2], single, atol=1e-9)
    assert all(episode.illegal == 0 for episode in episodes)


@pytest.mark.parametrize(("preset", "decisions"), [("EranHeavy", 8), ("OpenUp", 60)])
def test_decisions_do_not_depend_on_hidden_truth(preset: str, decisions: int, network: Path) -> None:
    scenario, policy = make_scenario(preset), Learned(str(network))
    witness = Witness(scenario, Trace.sample(scenario, 3))
    for _ in range(decisions):
        assert witness.advance()
        witness.decide(make_agent("fcfs").act(witness.view()))
    assert witness.advance()
    policy.reset(scenario, policy_rng("", policy.name))
    pair, scores = policy.act(witness.view()), policy.score(policy.see(witness.view())[0])
    for seed in range(4):
        other = Witness(scenario, redraw_hidden(witness, np.random.default_rng([seed, 1])))
        for taken in witness.decisions:
            assert other.advance()
            other.decide(taken)
        assert other.advance()
        assert policy.act(other.view()) == pair
        assert torch.equal(policy.score(policy.see(other.view())[0]), scores)


TRAINED_ON = {
    "eran_heavy": "EranHeavy",
    "eran_standard": "EranStandard",
    "eran_day": "EranDay",
    "open_up_day": "OpenUp",
}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.safetensors")), ids=lambda path: path.stem)
def test_networks_of_the_zoo_load_and_say_where_they_come_from(path: Path) -> None:
    _, _, card = load_network(path)
    told = card.training.get("begun", card.training)
    assert {"scenario", "seed", "decisions", "learners", "curve"} <= set(told)
    assert path.stat().st_size < 1_000_000
    (decisions, reached), *_ = reversed(told["curve"])
    assert decisions >= told["decisions"]
    if "begun" in card.training:
        before, reached = card.training["distilled"]["validation"]
        assert reached > before
    scenario = make_scenario(TRAINED_ON[card.training["scenario"]])
    (episode,) = run_episodes(scenario, Learned(path.stem), range(1), "compiled")
    assert episode.illegal == 0
    seeds = seeds_of("validation", 60)
    actor, _, _ = load_network(path)
    own = play(actor, scenario, seeds, card.sight(scenario)) @ np.array(scenario.weights.as_tuple())
    assert abs(own.mean() - reached) < 4.0 * own.std(ddof=1) / np.sqrt(len(own))
    gain = own - np.array(Scorer(scenario, seeds, "per_arrival").score(make_agent("fcfs"), len(seeds)))
    assert gain.mean() > 3.0 * gain.std(ddof=1) / np.sqrt(len(gain))
