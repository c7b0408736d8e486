"""`python -m app` is `freshet`."""

from app.cli import main

main()
