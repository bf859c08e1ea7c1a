"""Configuration files, found by way of the entry-point group `mhgym.configs`."""
