"""Jobs: leaderboard and reproduction of the published systems. The only place that knows Hydra."""
