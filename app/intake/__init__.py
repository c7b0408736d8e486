"""The intake: topics of theirs become plain events, items and users, each record once."""
