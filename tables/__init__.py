"""What is stored: under which name, for how long, in which bytes."""
