"""Engines that make a scenario and a trace into events."""
