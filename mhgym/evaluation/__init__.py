"""Running policies, reading recorded contacts, statistics and the leaderboard; import the module you need."""
