"""One module per command; each reads flags, calls one function, prints."""
