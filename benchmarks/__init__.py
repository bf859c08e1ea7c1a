"""Throughput and latency, with the machine recorded: `python -m benchmarks.throughput`."""
