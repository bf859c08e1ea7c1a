"""Studies that compare ours with what others have published."""
