"""Stand-ins that behave like the real thing, for tests of the engine alone."""
