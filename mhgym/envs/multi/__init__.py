"""The centre as a game of its counsellors, who pull callers from the queue: PettingZoo, and a batch for training."""
