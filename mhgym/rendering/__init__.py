"""Pictures of a centre, drawn from a view and never from an environment; import the module you need."""
