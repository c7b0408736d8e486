"""What the records of a topic or a file are, found out by looking at some: `freshet sniff`."""
