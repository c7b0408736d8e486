"""Pure models: no server, no clock, no file."""
