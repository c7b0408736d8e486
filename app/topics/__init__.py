"""The topics of a namespace: made here, or by what is printed for those who make topics in another way."""
