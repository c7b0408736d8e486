"""The dashboard: pages that show the stream while it moves, and why a person sees an item.

What is asked of workers, Kafka and Redis is asked once a second for all pages together (`poller`), kept for a while
(`history`), and drawn on the server (`pages`): a browser gets HTML, and then the parts of it that have changed.
"""
